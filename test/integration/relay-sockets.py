# Stock client code on four of the five sockets: sends an event and a log, sees both come back, gets a background task run.
import asyncio
import logging
import os
import sys
import uuid
from datetime import datetime, timezone

from prefect import task
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import LogCreate
from prefect.client.schemas.objects import TaskRun
from prefect.client.subscriptions import Subscription
from prefect.events import Event
from prefect.events.clients import get_events_client, get_events_subscriber
from prefect.events.filters import EventFilter, EventNameFilter
from prefect.logging.clients import get_logs_subscriber
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId

MARK = sys.argv[1]


@task(name=f"relay-{MARK}")
def background() -> None:
    pass


# Prefect queues by a key made from the code alone: clients that run this script beside each other would take each other's task.
background.task_key = f"{background.task_key}-{MARK}"


async def events() -> None:
    wanted = EventFilter(event=EventNameFilter(name=[f"relay.{MARK}"]))
    async with get_events_subscriber(filter=wanted) as subscriber:
        async with get_events_client(checkpoint_every=1) as client:
            for number in range(20):
                await client.emit(Event(event=f"relay.{MARK}", resource={"prefect.resource.id": f"relay.{number}"}, payload={"pad": "x" * 20000}))
        seen = set()
        async for event in subscriber:
            seen.add(event.resource.id)
            if len(seen) == 20:
                break
    print("events", len(seen))


async def logs() -> None:
    run = uuid.uuid4()
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run]))
    async with get_logs_subscriber(filter=wanted) as subscriber, get_client() as client:

        async def write() -> None:
            # The subscription is not acknowledged: write until something arrives.
            while True:
                await client.create_logs([LogCreate(name="relay", level=logging.INFO, message=MARK, timestamp=datetime.now(timezone.utc), flow_run_id=run)])
                await asyncio.sleep(0.2)

        writing = asyncio.create_task(write())
        async for log in subscriber:
            print("log", log.message)
            break
        writing.cancel()


async def tasks() -> None:
    subscription = Subscription(model=TaskRun, path="/task_runs/subscriptions/scheduled", keys=[background.task_key], client_id="relay-test", base_url=os.environ["PREFECT_API_URL"])
    future = await asyncio.to_thread(background.delay)
    async for run in subscription:
        print("task", run.id == future.task_run_id)
        break


async def main() -> None:
    await events()
    await logs()
    await tasks()


asyncio.run(asyncio.wait_for(main(), 150))
