# The environment that a worker creates for a run, by Prefect's own code. Named blocks and variables have settings of others.
#
#     token-in-env.py GIVEN FOUND     lines of JSON: {"template", "deployment", "own"}; the environment, or null where the worker fails
import asyncio
import copy
import json
import logging
import sys
from types import SimpleNamespace
from unittest.mock import MagicMock

from prefect.client.orchestration import PrefectClient
from prefect.workers.base import BaseJobConfiguration

logging.disable(logging.CRITICAL)

FOREIGN = {"PREFECT_CLIENT_CUSTOM_HEADERS": "theirs", "PREFECT_API_KEY": "theirs", "X": "theirs"}


async def block(*_, **__):
    return SimpleNamespace(data=FOREIGN, block_type=SimpleNamespace(slug="json"))


async def variable(*_, **__):
    return SimpleNamespace(value=FOREIGN)


client = MagicMock(spec=PrefectClient)
client.read_block_document = client.read_block_document_by_name = block
client.read_variable_by_name = variable


async def environment(template, deployment, own):
    """As BaseJobConfiguration.resolve_for_flow_run merges them."""
    if isinstance(deployment.get("env"), dict):
        deployment["env"].update(own.pop("env", {}))
    values = {**deployment, **own}
    configuration = await BaseJobConfiguration.from_template_and_values(copy.deepcopy(template), values, client=client)
    return {name: value for name, value in configuration.env.items() if value is not None}


async def found(given):
    try:
        return await environment(**given)
    except Exception:
        return None


with open(sys.argv[1]) as given, open(sys.argv[2], "w") as written:
    for line in given:
        written.write(json.dumps(asyncio.run(found(json.loads(line)))) + "\n")
