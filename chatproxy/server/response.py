"""gunicorn's response, with four of its habits changed.

It adds `Server` and `Date` to every answer and drops the application's, so a
forwarded answer would lose its own; it ignores an application's `Connection: close`,
so a caller whose upload is not wanted would go on sending; it sends the head and
the first piece of the body apart, which costs a third of all system calls; and it
would look for another request on a connection whose protocol was switched.
"""

from collections.abc import Iterable
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi

OWN_FIELDS = frozenset({"server", "date"})

SWITCHING = 101


class Response(wsgi.Response):  # type: ignore[misc]  # gunicorn has no annotations
    """One answer to a caller. The head is held back until something goes out with it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headers_sent = False
        self._held = b""

    def process_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Take the application's fields, in their order."""
        listed = list(headers)
        super().process_headers(listed)  # checks them, and leaves out `Server` and `Date` too
        dropped = util.hop_headers - OWN_FIELDS

        if self.status_code == SWITCHING:
            # The protocol it names has the connection, and nothing comes after that.
            dropped -= {"upgrade"}
            self.force_close()

        self.headers = [(name, value) for name, value in listed if name.lower() not in dropped]

        if ("Connection", "close") in listed:
            self.force_close()

    def default_headers(self) -> list[str]:
        """Return the server's own lines, less those that the answer has already."""
        present = {name.lower() for name, _ in self.headers}
        own = OWN_FIELDS & present
        lines: list[str] = super().default_headers()
        return [line for line in lines if line.partition(":")[0].lower() not in own]

    def send_headers(self) -> None:
        """Make the head; it goes out with the next bytes, or at the end of this write."""
        if not self.headers_sent:
            own = "".join(self.default_headers())
            fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
            self._held = f"{own}{fields}\r\n".encode("latin-1")
            self.headers_sent = True

    def write(self, arg: bytes) -> None:
        """Send a piece of the body; an empty one sends the head alone."""
        super().write(arg)
        self._send_held()

    def close(self) -> None:
        """End the answer."""
        self.send_headers()
        self._send_held()
        super().close()

    def _emit_body(self, data: bytes) -> None:
        head, self._held = self._held, b""
        framed = b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data
        self.sock.sendall(head + framed if head else framed)

    def _send_held(self) -> None:
        if self._held:
            head, self._held = self._held, b""
            self.sock.sendall(head)


def install() -> None:
    """Have gunicorn's workers of every class use this response."""
    wsgi.Response = Response
