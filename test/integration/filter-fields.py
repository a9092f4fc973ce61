"""Prints the filters that this Prefect's server has: the fields of each class."""

import json

from prefect.server.events import filters as of_events
from prefect.server.schemas import filters

classes = [
    each
    for module in (filters, of_events)
    for each in vars(module).values()
    if hasattr(each, "model_fields") and each.__module__ == module.__name__
]
print("FIELDS", json.dumps({each.__name__: list(each.model_fields) for each in classes}))
