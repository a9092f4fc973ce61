"""Installs a chart by Helm, without effect, into a cluster that has Prefect's Service and nothing else.

`helm_cluster.py FILE ANSWER`: the file has {chart, selector, values: [...]} as JSON. ANSWER gets what Helm says to each. Where the templates render, Helm asks for the schemas of the cluster,
which this one does not have.
"""

import json
import pathlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import helm_python

NOT_FOUND = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}


def objects_of(selector):
    services = {"name": "services", "namespaced": True, "kind": "Service", "verbs": ["get"]}
    metadata = {"name": "prefect-server", "namespace": "prefect"}
    return {
        "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.0"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [services]},
        "/api/v1/namespaces/prefect/services/prefect-server": {
            "kind": "Service",
            "apiVersion": "v1",
            "metadata": metadata,
            "spec": {"selector": selector},
        },
    }


def cluster(objects):
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            found = objects.get(self.path.split("?")[0])
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(found or NOT_FOUND).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def install(url, chart, values):
    try:
        with helm_python.Config(kube_apiserver=url, namespace="prefect", storage_driver="memory") as config:
            config.install(chart, "lictor", values, dry_run="server")
    except helm_python.HelmError as error:
        return str(error)
    return ""


def main():
    asked, answered = sys.argv[1:]
    question = json.loads(pathlib.Path(asked).read_text())
    url = cluster(objects_of(question["selector"]))
    answers = [install(url, question["chart"], values) for values in question["values"]]
    pathlib.Path(answered).write_text(json.dumps(answers))


main()
