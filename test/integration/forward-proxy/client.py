"""What a task does that knows HTTPS_PROXY alone: reads addresses with httpx, and says what came of each."""

import json
import sys

import httpx


def read(url: str) -> str:
    try:
        response = httpx.get(url, timeout=20)
        return f"{response.status_code} {response.text.strip()}"
    except httpx.HTTPError as error:
        return f"{type(error).__name__}: {error}"


print(json.dumps({url: read(url) for url in sys.argv[1:]}))
