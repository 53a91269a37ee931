"""A client that sends exactly the bytes it is given, and reads answers strictly."""

import dataclasses
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import h11


@dataclasses.dataclass
class RawAnswer:
    """An answer as it came. `complete` is false where it broke off."""

    status: int
    reason: str
    fields: list[tuple[str, str]]
    body: bytes
    complete: bool
    interim: list[int]

    def header(self, name: str) -> str | None:
        found = [value for field, value in self.fields if field.lower() == name.lower()]
        assert len(found) < 2, f"{name} came {len(found)} times"
        return found[0] if found else None


@contextmanager
def connected(port: int, timeout: float = 20) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=timeout) as sock:
        yield sock


def ask(port: int, request: bytes, *, half_close: bool = False, timeout: float = 20) -> RawAnswer:
    """Send the bytes on a connection of their own and return the one answer."""
    with connected(port, timeout) as sock:
        sock.sendall(request)

        if half_close:
            sock.shutdown(socket.SHUT_WR)

        method = request.split(b" ", 1)[0].decode("latin-1")
        return answer_on(sock, method if method.isalpha() and method.isupper() else "GET")


def answer_on(sock: socket.socket, method: str = "GET") -> RawAnswer:
    """Read one answer. Raises `ConnectionError` where none came."""
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=256 * 1024)
    parser.send(h11.Request(method=method, target="/", headers=[("Host", "a")]))
    parser.send(h11.EndOfMessage())
    head: h11.Response | None = None
    body = bytearray()
    interim: list[int] = []

    while True:
        try:
            event = parser.next_event()

            if event is h11.NEED_DATA:
                parser.receive_data(_received(sock))
                continue
        except h11.RemoteProtocolError:
            if head is None:
                raise ConnectionError("no answer") from None

            return _answer(head, bytes(body), False, interim)

        if isinstance(event, h11.InformationalResponse):
            interim.append(event.status_code)
        elif isinstance(event, h11.Response):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            assert head is not None
            return _answer(head, bytes(body), True, interim)
        else:
            raise ConnectionError("no answer")


def get(target: str, *lines: str, method: str = "GET") -> bytes:
    """A request without a body."""
    head = [f"{method} {target} HTTP/1.1", "Host: localhost", *lines]
    return ("\r\n".join(head) + "\r\n\r\n").encode("latin-1")


def post(target: str, body: bytes, *lines: str, method: str = "POST") -> bytes:
    """A request with a sized body."""
    return get(target, f"Content-Length: {len(body)}", *lines, method=method) + body


def chunked(target: str, *chunks: bytes, method: str = "POST") -> bytes:
    """A request with a chunked body, its last chunk included."""
    coded = b"".join(b"%x\r\n%s\r\n" % (len(chunk), chunk) for chunk in chunks)
    return get(target, "Transfer-Encoding: chunked", method=method) + coded + b"0\r\n\r\n"


def _received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65536)
    except ConnectionError:
        return b""


def _answer(head: h11.Response, body: bytes, complete: bool, interim: list[int]) -> RawAnswer:
    fields = [(name.decode(), value.decode("latin-1")) for name, value in head.headers.raw_items()]
    return RawAnswer(
        head.status_code, head.reason.decode("latin-1"), fields, body, complete, interim
    )
