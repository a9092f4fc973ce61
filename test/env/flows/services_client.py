"""A flow that calls a service with lictor-prefect, in tasks of both kinds, as its documentation shows."""

import logging

from lictor_prefect import ServiceRefused, async_service, service
from prefect import flow, task


@task
def by_sync() -> str:
    with service("billing") as client:
        busy = client.get("/v1/busy")
        return f"{client.post('/v1/sync', json={'a': 1}).status_code} {busy.text}"


@task
async def by_async() -> str:
    async with async_service("billing") as client:
        return str((await client.get("/v1/async?x=1")).status_code)


@task
def refused() -> str:
    with service("billing") as client:
        try:
            client.get("/v2/x")
        except ServiceRefused as refusal:
            return f"{refusal.status} {refusal.code} {refusal.request_id} {refusal}"
    return "not refused"


@flow(log_prints=True)
async def calls_with_client() -> None:
    logging.basicConfig(level=logging.DEBUG)
    print(f"sync {by_sync()}")
    print(f"async {await by_async()}")
    print(f"refused {refused()}")
    with service("local") as client:
        print(f"local {client.base_url}")
    print("client is through")
