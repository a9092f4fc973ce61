"""What stock Python code does against a Prefect API, in one process: prints one JSON line a check.

Usage: suite.py CHECK...   Checks: blocks variables mapped steady chatty delay
A check that raises is reported with its error; the others still run. Exit status 1 if any failed.
"""

import json
import os
import sys
import traceback
import uuid

from prefect.blocks.system import Secret
from prefect.events.clients import PrefectEventsClient
from prefect.events.worker import EventsWorker
from prefect.variables import Variable

import stock


def run_id_of(flow, **parameters):
    state = flow(**parameters, return_state=True)
    return {"flow_run_id": str(state.state_details.flow_run_id), "state": state.type.value}


def blocks():
    name = f"stock-{uuid.uuid4().hex[:8]}"
    Secret(value="s3cret value").save(name)
    return {"value": Secret.load(name).get()}


def variables():
    name = f"stock_{uuid.uuid4().hex[:8]}"
    Variable.set(name, "seven")
    return {"value": Variable.get(name)}


def mapped():
    return run_id_of(stock.mapped, count=100)


def steady():
    gate = os.environ.get("STEADY_GATE")
    # A stock client gives an event up after ten tries, some eight seconds: a busy machine may take longer to start what was killed.
    if gate is not None:
        EventsWorker.set_client_override(PrefectEventsClient, reconnection_attempts=100)
    return run_id_of(stock.steady, count=100, seconds=0.2, gate=gate)


def chatty():
    return run_id_of(stock.chatty)


def delay():
    future = stock.background.delay(41)
    future.wait(timeout=60)
    return {"task_run_id": str(future.task_run_id), "state": future.state.type.value}


CHECKS = {check.__name__: check for check in (blocks, variables, mapped, steady, chatty, delay)}


def main(names):
    failed = False
    for name in names:
        try:
            outcome = {"check": name, "ok": True, **CHECKS[name]()}
        except Exception as error:  # reported, and the exit status says so
            traceback.print_exc()
            outcome = {"check": name, "ok": False, "error": str(error)}
            failed = True
        print("CHECK " + json.dumps(outcome), flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
