# Parameters at random, and what Prefect's own code makes of them: which of them give away a variable, by hand and by an automation.
#
#     filled-in.py FILE COUNT     writes a line of JSON for each: {"mine", "given", "by_hand", "by_automation"}
import copy
import json
import logging
import random
import sys

from prefect.server.events.actions import RunDeployment
from prefect.server.utilities.user_templates import matching_types_in_templates
from prefect.utilities.schema_tools.hydration import HydrationContext, ValidJinja, hydrate

logging.disable(logging.CRITICAL)

KIND = "__prefect_kind"
SECRET = "HUNTER2"
REFERENCE = {KIND: "workspace_variable", "variable_name": "secret"}
EVENT = {"payload": {"reference": REFERENCE, "text": json.dumps(REFERENCE)}}
HIDDEN = json.dumps(REFERENCE).replace(KIND, "__pre' ~ 'fect_kind")
TEXTS = [
    *["plain", "1", "null", "mine", "run {{ event.id }}", "{{ '" + HIDDEN + "' }}", *3 * ["secret", json.dumps(REFERENCE)]],
    *["{{ variables.secret }}", "{{variables}}", "{% set v = variables %}{{ v }}", "{% for v in variables %}{{ variables[v] }}{% endfor %}"],
    *["{{ event.payload.reference }}", "\x1c{{ event.payload.reference }}", " {{ event.payload.reference }}\n", "{{ event.payload.text }}"],
    "{{ event.payload.reference | tojson }}",
]
# What each kind reads; the others are none that Prefect knows.
FIELDS = {"jinja": "template", "workspace_variable": "variable_name"}
KINDS = ["none", "json", "json", "jinja", "workspace_variable", "other", None]

at_random = random.Random(20261128)
variables = {"secret": SECRET, "mine": None}


def some_text(depth):
    chance = at_random.random()
    if chance < 0.3 and depth > 0:
        return json.dumps(some_value(depth - 1))
    if chance < 0.4:
        return '"' + "".join(letter if at_random.random() < 0.7 else "\\u%04x" % ord(letter) for letter in "{{ variables.secret }}") + '"'
    return at_random.choice(TEXTS)


def some_kind(depth):
    kind = at_random.choice(KINDS)
    return {KIND: kind, FIELDS.get(kind, "value"): some_value(depth - 1)}


def some_value(depth):
    if depth <= 0 or at_random.random() < 0.3:
        return some_text(depth)
    chance = at_random.random()
    if chance < 0.8:
        return some_kind(depth)
    return [some_value(depth - 1)] if chance < 0.9 else {"n": some_value(depth - 1)}


def reading(jinja):
    return HydrationContext(
        raise_on_error=True, render_jinja=True, jinja_context=jinja, render_workspace_variables=True, workspace_variables=variables
    )


def gives_away(parameters, passes):
    """A deployment is filled in when it is written and when it is run, and what comes of that may be given to another."""
    for _ in range(passes):
        if SECRET in repr(parameters):
            return True
        if not isinstance(parameters, dict):
            return False
        try:
            parameters = hydrate(copy.deepcopy(parameters), reading({}))
        except Exception:
            return False
    return SECRET in repr(parameters)


def automated(parameters):
    """RunDeployment.render_parameters, without a server to ask for variables."""
    parameters = copy.deepcopy(parameters)
    RunDeployment._upgrade_v1_templates(parameters)
    first = hydrate(parameters, HydrationContext(raise_on_error=False, render_jinja=False, render_workspace_variables=False))
    placeholders = RunDeployment.model_construct()._collect_placeholders(first)
    templates = [each.template for each in placeholders if isinstance(each, ValidJinja)]
    seen = {"variables": variables} if matching_types_in_templates(templates, {"variables"}) else {}
    return hydrate(parameters, reading({"event": EVENT, **seen}))


def by_automation(parameters):
    try:
        return gives_away(automated(parameters), 2)
    except Exception:
        return False


with open(sys.argv[1], "w") as lines:
    for _ in range(int(sys.argv[2])):
        variables["mine"] = some_value(2)
        given = {"a": some_value(4)}
        found = {"mine": variables["mine"], "given": given, "by_hand": gives_away(given, 3), "by_automation": by_automation(given)}
        lines.write(json.dumps(found) + "\n")
