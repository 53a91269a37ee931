"""gunicorn's response, changed in five ways, and made in one pass.

- It replaces `Server` and `Date`, so a forwarded answer would lose its own.
- It ignores an application's `Connection: close`, so that a caller could not be told to stop
  sending an unwanted upload.
- It writes the head and the first piece of the body apart. One write for both saves a third of
  all system calls.
- It would look for another request on a connection whose protocol was switched.
- It waits for ever for a caller who reads nothing.
"""

import functools
from collections.abc import Iterable
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi
from gunicorn.http.message import TOKEN_RE

from chatproxy.clock import Clock
from chatproxy.names import remembered
from chatproxy.server.waits import WAITS, What

#: `Date` is when the origin made the answer; a proxy adds it only where it is missing (RFC 9110
#: section 6.6.1).
OWN_FIELDS = frozenset({"server", "date"})

SWITCHING = 101

DROPPED = frozenset(util.hop_headers) - OWN_FIELDS

_now = Clock().now


class Response(wsgi.Response):  # type: ignore[misc]  # gunicorn has no annotations
    """One answer to a caller. The head waits for the first bytes that go out with it."""

    #: Seconds that one write may take; `install` sets it.
    write_limit: float | None = None

    upgrade: bool

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # True once the head is made: gunicorn asks this to know whether an error page can still
        # be sent in its place.
        self.headers_sent = False
        self._head = b""
        self._own = OWN_FIELDS

    def process_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Take the application's fields, in their order."""
        own, dropped = OWN_FIELDS, DROPPED
        kept = []

        if self.status_code == SWITCHING:
            # A 101 has to name the new protocol (RFC 9110 section 7.8), and no other request comes
            # on the connection.
            dropped -= {"upgrade"}
            self.force_close()

        for field in headers:
            name, value = field
            lower = _lower(name)

            if not (lower and type(value) is str and value.isascii() and value.isprintable()):
                # gunicorn's own check refuses all that may not be sent, such as CR, LF and NUL.
                super().process_headers((field,))

            if lower == "content-length":
                self.response_length = int(value)
            elif lower == "connection":
                # PEP 3333 forbids an application this field and gunicorn drops it, but
                # `web.request_log` needs it. It is written exactly like this there.
                if field == ("Connection", "close"):
                    self.force_close()

                self.upgrade = self.upgrade or value.strip(" \t").lower() == "upgrade"

            if lower in own:
                own -= {lower}

            if lower not in dropped:
                kept.append(field)

        self.headers = kept
        self._own = own

    def send_headers(self) -> None:
        """Make the head. It goes out with the next bytes, or at the end of this write."""
        if self.headers_sent:
            return

        connection = "close" if self.should_close() else "keep-alive"
        major, minor = self.req.version
        lines = [f"HTTP/{major}.{minor} {self.status}\r\n"]

        if "server" in self._own:
            lines.append(f"Server: {self.version}\r\n")

        if "date" in self._own:
            lines.append(f"Date: {_date(int(_now()))}\r\n")

        lines.append(f"Connection: {'upgrade' if self.upgrade else connection}\r\n")

        if self.chunked:
            lines.append("Transfer-Encoding: chunked\r\n")

        lines += [f"{name}: {value}\r\n" for name, value in self.headers]
        lines.append("\r\n")
        self._head = "".join(lines).encode("latin-1")
        self.headers_sent = True

    def write(self, arg: bytes) -> None:
        """Send a piece of the body; an empty one sends the head alone."""
        # PEP 3333 would keep the head until there is a byte of the body. A caller of a slow stream
        # needs the status earlier.
        super().write(arg)
        self._flush_head()

    def close(self) -> None:
        """End the answer."""
        self.send_headers()
        self._flush_head()

        if self.chunked:
            self._send(b"0\r\n\r\n")

    def _emit_body(self, data: bytes) -> None:
        head, self._head = self._head, b""
        framed = b"%X\r\n%b\r\n" % (len(data), data) if self.chunked else data
        self._send(head + framed if head else framed)

    def _flush_head(self) -> None:
        if self._head:
            head, self._head = self._head, b""
            self._send(head)

    def _send(self, data: bytes) -> None:
        # What the system takes at once is no wait.
        sent = 0 if self.cfg.is_ssl else _send_at_once(self.sock, data)

        if sent < len(data):
            self._send_rest(memoryview(data)[sent:])

    def _send_rest(self, rest: memoryview) -> None:
        # gunicorn expects its sockets without a limit. (With gevent this is no system call.)
        self.sock.settimeout(self.write_limit)

        with WAITS.waiting(self.sock, What.READING):
            self.sock.sendall(rest)

        self.sock.settimeout(None)


def _send_at_once(sock: Any, data: bytes) -> int:
    try:
        return int(sock.send(data, 0, 0.0))  # gevent's third argument is the limit on the wait
    except BlockingIOError:
        return 0


@remembered
def _lower(name: str) -> str:
    # Empty for what is no name.
    return name.lower() if isinstance(name, str) and TOKEN_RE.fullmatch(name) else ""


@functools.lru_cache(maxsize=1)
def _date(second: int) -> str:
    return str(util.http_date(second))


def install(write_limit: float) -> None:
    """Make gunicorn's workers use this response, whose writes may take so many seconds each."""
    Response.write_limit = write_limit
    # gunicorn has no setting for it: `wsgi.create` looks the class up in its own module.
    wsgi.Response = Response
