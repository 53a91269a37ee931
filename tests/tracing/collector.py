"""A collector: takes spans by OTLP over HTTP, and keeps them as they came."""

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span


class Collector(ThreadingHTTPServer):
    """`status` is what it answers; while it is None it answers nothing."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self.status: int | None = 200
        self.bodies: list[bytes] = []
        self.fields: list[dict[str, str]] = []

    def __enter__(self) -> "Collector":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def requests(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in list(self.bodies)]

    def spans(self) -> list[Span]:
        return [
            span
            for request in self.requests()
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resource(self) -> dict[str, Any]:
        return _values(self.requests()[0].resource_spans[0].resource.attributes)

    def wait_for(self, trace: str, spans: int, within: float = 20) -> list[Span]:
        """Return the spans of a trace, the client's last, once there are so many."""
        until = time.monotonic() + within

        while time.monotonic() < until:
            found = [span for span in self.spans() if span.trace_id.hex() == trace]

            if len(found) >= spans:
                assert len(found) == spans
                return sorted(found, key=lambda span: span.kind)

            time.sleep(0.05)

        raise AssertionError(f"no {spans} spans of {trace} in {self.spans()}")


def attributes(span: Span) -> dict[str, Any]:
    return _values(span.attributes)


def _values(pairs: Any) -> dict[str, Any]:
    return {
        one.key: getattr(one.value, one.value.WhichOneof("value") or "string_value")
        for one in pairs
    }


class _Handler(BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        coded = self.headers.get("Content-Encoding") == "gzip"

        while self.server.status is None:
            time.sleep(0.05)

        if self.server.status == 200:
            self.server.bodies.append(gzip.decompress(body) if coded else body)
            self.server.fields.append({"path": self.path, **dict(self.headers.items())})

        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass
