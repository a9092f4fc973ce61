"""A flow whose author writes to its readers: it logs messages, and its name and parameters carry them too."""

import json
import sys

from prefect import flow, get_run_logger

given = json.load(open(sys.argv[1]))


@flow(name=given["flow"], flow_run_name=given["name"])
def hostile(messages: list[str], api_key: str) -> None:
    for message in messages:
        get_run_logger().info("%s", message)


hostile(messages=given["messages"], api_key=given["secret"])
