"""A flow that starts another one; prints both ids as JSON."""

import json

from prefect import flow, task
from prefect.runtime import flow_run


@task
def add(number: int) -> int:
    return number + 1


@flow
def inner() -> str:
    add(1)
    return str(flow_run.id)


@flow
def outer() -> dict:
    return {"outer": str(flow_run.id), "inner": inner()}


if __name__ == "__main__":
    print(json.dumps(outer()))
