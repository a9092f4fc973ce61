"""A stock flow of many mapped tasks for `lictor bench`; prints how long it took, without Prefect's own start."""

import sys
import time

from prefect import flow, task


@task
def double(number: int) -> int:
    return 2 * number


@flow
def mapped(tasks: int) -> int:
    return sum(double.map(range(tasks)).result())


def main(tasks: int) -> None:
    started = time.perf_counter()
    total = mapped(tasks)
    elapsed = time.perf_counter() - started
    assert total == tasks * (tasks - 1), total
    print(f"seconds={elapsed:.3f}")


main(int(sys.argv[1]))
