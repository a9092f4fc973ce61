"""Deploys two flows into a work pool and starts a run of each, with what every client from 3.6 on has. Prints `RUN FLOW ID`.

Usage: old_client.py POOL
"""

import sys
from pathlib import Path

from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.deployments import run_deployment

HERE = Path(__file__).parent


def main(pool: str) -> None:
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name=pool, type="process"))
    for name, parameters in {"mapped": {"count": 3}, "slow": {"seconds": 120}}.items():
        flow.from_source(source=HERE, entrypoint=f"stock.py:{name}").deploy(name=pool, work_pool_name=pool, print_next_steps=False)
        run = run_deployment(f"{name}/{pool}", parameters=parameters, timeout=0)
        print("RUN", name, run.id, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
