"""An OTLP receiver over HTTP that parses with OpenTelemetry's own definitions; what it got is appended to a file, a line each."""

import base64
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf.json_format import MessageToDict, Parse
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KINDS = {"/v1/logs": ExportLogsServiceRequest, "/v1/traces": ExportTraceServiceRequest}
IDS = ("traceId", "spanId", "parentSpanId")


def as_protobuf(value):
    """OTLP writes ids in hexadecimal where the JSON of protobuf has base64 (opentelemetry-proto, docs/specification.md)."""
    if isinstance(value, list):
        return [as_protobuf(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(item)).decode() if key in IDS else as_protobuf(item)
        for key, item in value.items()
    }


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        kind = KINDS[self.path]()
        # Strict: a field that is not known, or of another type, is an error.
        Parse(json.dumps(as_protobuf(json.loads(body))), kind)
        with open(sys.argv[2], "a", encoding="utf8") as out:
            out.write(json.dumps({"path": self.path, "body": MessageToDict(kind)}) + "\n")
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format, *args):
        sys.stderr.write(f"{format % args}\n")


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
