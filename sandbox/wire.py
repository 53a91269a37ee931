"""HTTP/1.1 on one accepted socket, parsed by h11 in the server's role.

Nothing here knows what is asked for: a `Wire` gives heads and body pieces, and takes framed bytes.
"""

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import h11

Framing = Literal["none", "sized", "chunked"]
Headers = tuple[tuple[bytes, bytes], ...]

READ_SIZE = 256 * 1024
HEAD_LIMIT = 64 * 1024
JOIN_BELOW = 64 * 1024


class PeerLeft(Exception):
    """The other side closed or reset the connection."""


class Malformed(Exception):
    """What was read is not HTTP/1.1; `status` is what to answer before closing."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status


def values_of(headers: Headers, name: str) -> list[str]:
    """Return all values of one header, whatever its case, in the order they came."""
    wanted = name.lower().encode("latin-1")
    return [value.decode("latin-1") for key, value in headers if key.lower() == wanted]


@dataclass(frozen=True)
class Head:
    """A request's head: `headers` in the case they came in, `raw` as read from the socket."""

    method: str
    target: str
    headers: Headers
    raw: bytes
    framing: Framing

    def values(self, name: str) -> list[str]:
        """All values of one header, as Latin-1 text, in the order they came."""
        return values_of(self.headers, name)

    @property
    def path(self) -> str:
        """The target without its query, not decoded."""
        return self.target.partition("?")[0]


class Wire:
    """One accepted connection: heads and bodies in, bytes out."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = sock
        self.http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_LIMIT)
        self._ended = False
        self.unread = b""

    @property
    def is_reusable(self) -> bool:
        """Whether both sides ended their message and neither asked to close."""
        return self.http.our_state is h11.DONE and self.http.their_state is h11.DONE

    def next_head(self) -> Head | None:
        """Wait for a request; None where the peer ended the connection between two."""
        if self.http.our_state is h11.DONE:
            self.http.start_next_cycle()

        raw = bytearray(self.http.trailing_data[0])
        while True:
            event = self._event(raw)
            if isinstance(event, h11.Request):
                length = len(raw) - len(self.http.trailing_data[0])
                if length > HEAD_LIMIT:
                    # h11 itself only minds a head that is not complete yet.
                    self.unread = bytes(raw)
                    raise Malformed("head too large", 431)

                return _head(event, bytes(raw[:length]))

            data = self._receive()
            if not data and not raw:
                return None

            raw += data
            self._feed(data)

    def body(self) -> Iterator[bytes]:
        """Return what is left of the request's body, in pieces as they come.

        Raises PeerLeft where it is cut short and Malformed where its chunks are not chunks.
        """
        while self.http.their_state is h11.SEND_BODY:
            if self.http.they_are_waiting_for_100_continue:
                self.write(self.http.send(h11.InformationalResponse(status_code=100, headers=[])))

            event = self._event(bytearray())
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif not isinstance(event, h11.EndOfMessage):
                self._feed(self._receive())

    def write(self, *parts: bytes) -> None:
        """Send everything; small parts travel together. Raises PeerLeft."""
        try:
            if sum(map(len, parts)) <= JOIN_BELOW:
                self.sock.sendall(b"".join(parts))
                return

            for part in parts:
                self.sock.sendall(part)
        except OSError as error:
            raise PeerLeft(str(error)) from error

    def drain(self, seconds: float) -> None:
        """Half-close, then drop what still comes in, so that the answer is not lost to a reset."""
        deadline = time.monotonic() + seconds
        try:
            self.sock.shutdown(socket.SHUT_WR)
            while (left := deadline - time.monotonic()) > 0:
                self.sock.settimeout(left)
                if not self.sock.recv(READ_SIZE):
                    return
        except OSError:
            return

    def _event(self, raw: bytearray) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        try:
            return self.http.next_event()
        except h11.RemoteProtocolError as error:
            self.unread = bytes(raw)
            if self._ended:
                raise PeerLeft("closed in mid message") from error

            raise Malformed(str(error), error.error_status_hint) from error

    def _receive(self) -> bytes:
        try:
            return self.sock.recv(READ_SIZE)
        except OSError as error:
            raise PeerLeft(str(error)) from error

    def _feed(self, data: bytes) -> None:
        self._ended = not data
        self.http.receive_data(data)


def _head(request: h11.Request, raw: bytes) -> Head:
    """Make our own head of h11's; `raw_items` keeps the case of names."""
    names = {bytes(name) for name, _ in request.headers}
    is_sized = b"content-length" in names
    framing: Framing = "sized" if is_sized else "none"
    if b"transfer-encoding" in names:
        framing = "chunked"

    return Head(
        method=request.method.decode("ascii"),
        target=request.target.decode("latin-1"),
        headers=tuple((bytes(name), bytes(value)) for name, value in request.headers.raw_items()),
        raw=raw,
        framing=framing,
    )
