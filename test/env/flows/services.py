"""A flow that calls services through the gateway: with lictor-prefect, and with bare httpx, as docs/how-to/services.md shows it."""

import json
import os
from pathlib import Path

import httpx
from lictor_prefect import ServiceRefused, service
from prefect import flow


def with_helper(path: str) -> str:
    _, name, rest = path.split("/", 2)
    with service(name) as client:
        try:
            response = client.get(f"/{rest}")
        except ServiceRefused as refusal:
            return f"{refusal.status}: {refusal.code}"
        return f"{response.status_code}: {response.text}"


def bare(path: str) -> str:
    source = Path(__file__).with_name("docs_example.txt").read_text().replace("/billing/v1/rates", path)
    known: dict[str, object] = {}
    *statements, last = source.strip().splitlines()
    exec("\n".join(statements), known)
    response = eval(last, known)
    assert isinstance(response, httpx.Response)
    return f"{response.status_code}: {response.text}"


@flow(log_prints=True)
def calls(paths: list[str]) -> None:
    for path in paths:
        print(f"helper {path} answered {with_helper(path)}")
        print(f"bare {path} answered {bare(path)}")
    print("environment " + json.dumps(dict(os.environ)))
