# Sends 40 events, one after the other; then the other socket must still be alive, and Prefect must have them all.
# Prefect may lose events while the other socket reconnects: it may send an event before the connection, and store it afterwards.
import asyncio
import sys

from prefect.client.orchestration import get_client
from prefect.events import Event
from prefect.events.clients import get_events_client, get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter

NAME = f"renewal.{sys.argv[1]}"
COUNT = 40


def event(number: int) -> Event:
    return Event(event=NAME, resource={"prefect.resource.id": f"renewal.{number}"})


async def stored() -> int:
    async with get_client() as client:
        while True:
            response = await client.request("POST", "/events/filter", json={"filter": {"event": {"name": [NAME]}}, "limit": 50})
            found = {item["resource"]["prefect.resource.id"] for item in response.json()["events"]}
            kept = sum(f"renewal.{number}" in found for number in range(1, COUNT + 1))
            if kept == COUNT:
                return kept
            await asyncio.sleep(0.5)


async def main() -> None:
    async with get_events_subscriber(filter=EventFilter(event=EventNameFilter(name=[NAME]))) as subscriber:

        async def receive_last() -> None:
            async for received in subscriber:
                if int(received.resource.id.removeprefix("renewal.")) >= COUNT:
                    return

        receiving = asyncio.create_task(receive_last())
        async with get_events_client() as client:
            for number in range(1, COUNT + 1):
                await client.emit(event(number))
                print("sent", number, flush=True)
                await asyncio.sleep(0.25)
        print("stored", await stored(), flush=True)
        async with get_events_client() as client:
            for number in range(COUNT + 1, 2 * COUNT):
                if receiving.done():
                    break
                await client.emit(event(number))
                await asyncio.sleep(0.5)
        await receiving
        print("received", flush=True)


asyncio.run(asyncio.wait_for(main(), 200))
