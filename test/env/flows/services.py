"""A flow that calls services through the gateway with bare httpx: base URL and credential are what its environment has for Prefect."""

import json
import os

import httpx
from prefect import flow


@flow(log_prints=True)
def calls(paths: list[str]) -> None:
    token = json.loads(os.environ["PREFECT_CLIENT_CUSTOM_HEADERS"])["X-Lictor-Token"]
    base = os.environ["PREFECT_API_URL"].removesuffix("/api")
    with httpx.Client(base_url=f"{base}/.lictor/svc", auth=("run", token)) as client:
        for path in paths:
            response = client.get(path)
            print(f"{path} answered {response.status_code}: {response.text}")
    print("environment " + json.dumps(dict(os.environ)))
