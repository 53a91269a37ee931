"""The answer that turns a connection into a WebSocket."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from flask import Response
from werkzeug.wsgi import ClosingIterator

from chatproxy.web.request_log import StartResponse

NO_CONNECTION = "The socket needs the server that this is shipped with."


class Upgraded(Response):
    """A 101 answer that then serves the socket on the same connection.

    `at_end` is called once, also where the caller is gone before the socket is served.
    """

    def __init__(
        self,
        token: str,
        serve: Callable[[], None],
        at_end: Callable[[], None],
        further: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(status=101)
        self._token = token
        self._serve = serve
        self._at_end = at_end
        self._further = further

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Send the head; the returned iterable ends when the socket does."""
        fields = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", self._token),
            *self._further,
        ]
        start_response("101 Switching Protocols", fields)
        return ClosingIterator(self._serve_socket(), [self._at_end])

    def _serve_socket(self) -> Iterator[bytes]:
        yield b""  # gunicorn sends the head with the first piece
        self._serve()
