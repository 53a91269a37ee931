"""A target of webhooks that records what it is sent, and answers as it is told."""

import contextlib
import dataclasses
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclasses.dataclass
class Way:
    """How to answer. `holds` is waited for first; with `drops` the connection ends instead."""

    status: int = 200
    body: bytes = b"{}"
    fields: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    holds: threading.Event | None = None
    drops: bool = False
    cuts: int = 0


@dataclasses.dataclass
class Event:
    """What came: the path, the fields as they were, and the body."""

    path: str
    fields: dict[str, str]
    body: bytes


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._open: set[socket.socket] = set()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, and know of it."""
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """End a connection."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        """End all connections: whoever keeps one would still be answered."""
        for one in list(self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def handle_error(self, *_: Any) -> None:
        """Say nothing: callers that leave are part of the tests."""


class Target:
    """Started by `with`."""

    def __init__(self, port: int = 0) -> None:
        self.events: list[Event] = []
        self.way = Way()
        self._server = _Server(("127.0.0.1", port), self._handler())
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}/hooks/here"

    def __enter__(self) -> "Target":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._server.hang_up()
        self._thread.join()

    def forget(self) -> None:
        """Forget what came, and answer as at first."""
        self.events.clear()
        self.way = Way()

    @contextlib.contextmanager
    def answering(self, **way: Any) -> Iterator["Target"]:
        """Answer in this way meanwhile."""
        self.way = Way(**way)

        try:
            yield self
        finally:
            if self.way.holds is not None:
                self.way.holds.set()

            self.way = Way()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        target = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                way = target.way
                body = self.rfile.read(int(self.headers["Content-Length"]))
                fields = {name.lower(): value for name, value in self.headers.items()}
                target.events.append(Event(self.path, fields, body))

                if way.holds is not None:
                    way.holds.wait(30)

                if way.drops:
                    self.close_connection = True
                    return

                self.send_response_only(way.status)

                for name, value in way.fields:
                    self.send_header(name, value)

                self.send_header("Content-Length", str(len(way.body) + way.cuts))
                self.end_headers()
                self.wfile.write(way.body)
                self.close_connection = bool(way.cuts)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler
