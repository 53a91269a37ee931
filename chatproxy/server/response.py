"""gunicorn's response, changed in five ways.

- It replaces `Server` and `Date`, so a forwarded answer would lose its own.
- It ignores an application's `Connection: close`, so that a caller could not be told to stop
  sending an unwanted upload.
- It writes the head and the first piece of the body apart. One write for both saves a third of
  all system calls.
- It would look for another request on a connection whose protocol was switched.
- It waits for ever for a caller who reads nothing.
"""

from collections.abc import Iterable
from typing import Any

from gunicorn import util
from gunicorn.http import wsgi

from chatproxy.server.waits import WAITS, What

#: `Date` is when the origin made the answer; a proxy adds it only where it is missing (RFC 9110
#: section 6.6.1).
OWN_FIELDS = frozenset({"server", "date"})

SWITCHING = 101


class Response(wsgi.Response):  # type: ignore[misc]  # gunicorn has no annotations
    """One answer to a caller. The head waits for the first bytes that go out with it."""

    #: Seconds that one write may take; `install` sets it.
    write_limit: float | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # True once the head is made: gunicorn asks this to know whether an error page can still
        # be sent in its place.
        self.headers_sent = False
        self._head = b""

    def process_headers(self, headers: Iterable[tuple[str, str]]) -> None:
        """Take the application's fields, in their order."""
        listed = list(headers)
        # gunicorn's own version checks them (CR, LF and NUL are refused) and notes the length; the
        # list that it makes lacks `Server` and `Date`, so it is made again below.
        super().process_headers(listed)
        dropped = util.hop_headers - OWN_FIELDS

        if self.status_code == SWITCHING:
            # A 101 has to name the new protocol (RFC 9110 section 7.8), and no other request comes
            # on the connection.
            dropped -= {"upgrade"}
            self.force_close()

        self.headers = [(name, value) for name, value in listed if name.lower() not in dropped]

        # PEP 3333 forbids an application this field and gunicorn drops it, but `web.request_log`
        # needs it. It is written exactly like this there.
        if ("Connection", "close") in listed:
            self.force_close()

    def default_headers(self) -> list[str]:
        """Return the server's own lines, except those that the answer brings itself."""
        present = {name.lower() for name, _ in self.headers}
        own = OWN_FIELDS & present
        lines: list[str] = super().default_headers()
        return [line for line in lines if line.partition(":")[0].lower() not in own]

    def send_headers(self) -> None:
        """Make the head. It goes out with the next bytes, or at the end of this write."""
        if not self.headers_sent:
            own = "".join(self.default_headers())
            fields = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
            self._head = f"{own}{fields}\r\n".encode("latin-1")
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
        # gunicorn expects its sockets without a limit. (With gevent this is no system call.)
        self.sock.settimeout(self.write_limit)

        with WAITS.waiting(self.sock, What.READING):
            self.sock.sendall(data)

        self.sock.settimeout(None)


def install(write_limit: float) -> None:
    """Make gunicorn's workers use this response, whose writes may take so many seconds each."""
    Response.write_limit = write_limit
    # gunicorn has no setting for it: `wsgi.create` looks the class up in its own module.
    wsgi.Response = Response
