"""Flows that the stock-client tests deploy, run and serve. Plain Prefect: nothing here knows of a gateway."""

import os
import time
from contextlib import nullcontext
from pathlib import Path

from prefect import flow, get_run_logger, task
from prefect.concurrency.sync import concurrency
from prefect.deployments import run_deployment


@task
def square(number: int) -> int:
    return number * number


@flow(log_prints=True)
def mapped(count: int = 3, limit: str | None = None) -> int:
    """With a limit, under a slot of it: taken, renewed and released as stock clients do."""
    with nullcontext() if limit is None else concurrency(limit, strict=True):
        total = sum(square.map(list(range(count))).result())
    print(f"mapped {count} tasks, total {total}")
    return total


@task
def nap(number: int, seconds: float) -> int:
    time.sleep(seconds)
    return number


@flow(log_prints=True)
def steady(count: int = 100, seconds: float = 0.2, gate: str | None = None) -> int:
    """One task after the other: long enough to break things meanwhile. The last two fifths wait for the file `gate` to be there."""
    print("steady begins")
    for number in range(count):
        while gate is not None and number == count * 3 // 5 and not os.path.exists(gate):
            time.sleep(0.1)
        nap(number, seconds)
    print(f"steady ran {count} tasks")
    return count


@flow(log_prints=True)
def slow(seconds: float = 120) -> None:
    print("slow begins")
    time.sleep(seconds)


@flow(log_prints=True)
def held(file: str) -> None:
    """Until there is such a file: whoever looks at it meanwhile is not too late, however long that takes."""
    print("held begins")
    while not Path(file).exists():
        time.sleep(0.2)


@flow
def chatty(lines: int = 3072, width: int = 1024) -> None:
    """Logs `lines` lines that all differ, each `width` characters long."""
    logger = get_run_logger()
    for number in range(lines):
        head = f"line {number:06d} "
        logger.info(head + "x" * (width - len(head)))


@task
def background(number: int) -> int:
    return number + 1


@flow
def nested(count: int = 3) -> int:
    """A sub-flow in the same process, with tasks of its own."""
    return mapped(count)


@flow
def starts(deployment: str) -> str:
    """A run of a deployment, waited for."""
    return run_deployment(deployment, timeout=120).state.type.value
