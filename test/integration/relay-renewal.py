# Sends 40 events, one after the other, and counts how many of them come back on the other socket.
import asyncio
import sys

from prefect.events import Event
from prefect.events.clients import get_events_client, get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter

NAME = f"renewal.{sys.argv[1]}"
COUNT = 40


async def main() -> None:
    async with get_events_subscriber(filter=EventFilter(event=EventNameFilter(name=[NAME]))) as subscriber:

        async def receive() -> int:
            seen = set()
            async for event in subscriber:
                seen.add(event.resource.id)
                if len(seen) == COUNT:
                    break
            return len(seen)

        receiving = asyncio.create_task(receive())
        async with get_events_client() as client:
            for number in range(1, COUNT + 1):
                await client.emit(Event(event=NAME, resource={"prefect.resource.id": f"renewal.{number}"}))
                print("sent", number, flush=True)
                await asyncio.sleep(0.25)
        print("received", await receiving, flush=True)


asyncio.run(asyncio.wait_for(main(), 90))
