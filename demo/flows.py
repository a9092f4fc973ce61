"""The sample flow of `lictor demo`: plain Prefect, nothing in it knows of a gateway."""

import time

from prefect import flow, get_run_logger, task

REGIONS = ["north", "east", "south", "west"]


@task(task_run_name="count-{region}")
def count_orders(region: str) -> int:
    """Pretends to read the orders of one region."""
    time.sleep(0.2)
    orders = sum(map(ord, region))
    get_run_logger().info("%s: %d orders", region, orders)
    return orders


@task
def add_up(orders: list[int]) -> int:
    return sum(orders)


@flow(name="sample", log_prints=True)
def sample(regions: list[str] = REGIONS) -> int:
    """Counts the orders of some regions, all at once, and adds them up."""
    total = add_up(count_orders.map(regions).result())
    print(f"{total} orders in {len(regions)} regions")
    return total
