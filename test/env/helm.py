"""Renders a chart by Helm's own library, and validates the objects by Kubernetes' own schemas.

`helm.py FILE ANSWER`: the file has {chart, versions, releases: [{name, namespace, values}]} as JSON. ANSWER gets a list with one entry for each release:
{objects, notes, problems, findings} or {error}.
"""

import functools
import json
import pathlib
import sys

import helm_python
import kubernetes_validate
import yaml

WARNING = 2

# It would read the definitions of all kinds anew for each object.
kubernetes_validate.utils.schema_contents = functools.cache(kubernetes_validate.utils.schema_contents)


def answer(question, release):
    """`findings` is what `helm lint --strict` complains about; `problems` is what Kubernetes would."""
    values = release["values"]
    try:
        with helm_python.Chart.load(question["chart"]) as chart:
            files = chart.render(values, name=release["name"], namespace=release["namespace"])
    except helm_python.HelmError as error:
        return {"error": str(error)}
    report = helm_python.lint(question["chart"], values, strict=True)
    findings = [message["error"] for message in report["messages"] if message["severity"] >= WARNING]
    manifests = [text for name, text in sorted(files.items()) if name.endswith(".yaml")]
    objects = [found for text in manifests for found in yaml.safe_load_all(text) if found is not None]
    notes = "".join(text for name, text in files.items() if name.endswith("NOTES.txt"))
    problems = [found for version in question["versions"] for each in objects for found in problems_of(each, version)]
    return {"objects": objects, "notes": notes, "problems": problems, "findings": findings}


def problems_of(each, version):
    """Kinds outside of Kubernetes, as HTTPRoute, have no schema here."""
    try:
        kubernetes_validate.validate(each, version, strict=True)
    except kubernetes_validate.SchemaNotFoundError:
        return [f"{version}: no schema of {each['kind']}"]
    except kubernetes_validate.ValidationError as error:
        return [f"{version}: {each['kind']}: {error.message}"]
    return []


def main():
    asked, answered = sys.argv[1:]
    question = json.loads(pathlib.Path(asked).read_text())
    answers = [answer(question, release) for release in question["releases"]]
    pathlib.Path(answered).write_text(json.dumps(answers))


main()
