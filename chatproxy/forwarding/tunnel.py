"""The way through an outbound proxy: a tunnel that it opens on CONNECT (RFC 9110 section 9.3.6).

TLS goes through the tunnel to the upstream, so the proxy sees names and sizes, and no credential
but its own.
"""

import base64
import dataclasses
import select
import socket
from collections.abc import Generator
from urllib.parse import unquote_to_bytes

import h11

from chatproxy.forwarding.headers import LARGEST_HEAD
from chatproxy.settings.sidecar import PROXY_URL

Waits = Generator[tuple[socket.socket, int], None, None]


@dataclasses.dataclass(frozen=True, slots=True)
class Proxy:
    """An outbound proxy; `authorization` is the value of `Proxy-Authorization`, empty if none."""

    host: str
    port: int
    authorization: str = dataclasses.field(default="", repr=False)

    @classmethod
    def at(cls, url: str) -> "Proxy":
        """Split a URL that the settings have checked."""
        # By the pattern of their check: another reading, such as `urlsplit`, may refuse what that
        # one takes, and name the password in its error.
        if (found := PROXY_URL.fullmatch(url)) is None:
            raise ValueError("not the URL of a proxy")

        host = (found["host"] or found["address"]).lower()
        port = int(found["port"] or 80)

        if found["user"] is None:
            return cls(host, port)

        # Basic authentication, in UTF-8 (RFC 7617 section 2.1).
        pair = unquote_to_bytes(found["user"]) + b":" + unquote_to_bytes(found["password"] or "")
        return cls(host, port, f"Basic {base64.b64encode(pair).decode()}")


class ProxyFailed(OSError):
    """The proxy could not be reached."""


class ProxyRefused(ProxyFailed):
    """The proxy was reached, and opened no tunnel."""


class TunnelBroke(ProxyFailed):
    """The tunnel ended, or led to no TLS server."""


class ProxyTimedOut(ProxyFailed):
    """The proxy let the time pass."""


def open_tunnel(sock: socket.socket, proxy: Proxy, authority: str) -> Waits:
    """Have the proxy connect a socket to an upstream; raise `ProxyRefused` if it does not."""
    head = _Head(authority, proxy.authorization)
    rest = head.request

    while rest:
        try:
            rest = rest[sock.send(rest) :]
        except BlockingIOError:
            yield sock, select.POLLOUT

    while not head.is_whole:
        try:
            head.take(sock.recv(LARGEST_HEAD))
        except BlockingIOError:
            yield sock, select.POLLIN

    head.check()


class _Head:
    """The exchange of heads with the proxy."""

    # Nothing that the proxy sends goes into an error: it could repeat our credentials.

    def __init__(self, authority: str, authorization: str) -> None:
        fields = [("Host", authority)]

        if authorization:
            fields.append(("Proxy-Authorization", authorization))

        request = h11.Request(method="CONNECT", target=authority, headers=fields)
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        self.request = (self._h11.send(request) or b"") + (
            self._h11.send(h11.EndOfMessage()) or b""
        )
        self._received = 0
        self._status = 0

    @property
    def is_whole(self) -> bool:
        return self._status > 0

    def take(self, data: bytes) -> None:
        self._received += len(data)

        if not data:
            raise ProxyRefused("closed the connection")

        # Of all heads together: the interim ones could follow each other without end.
        if self._received > LARGEST_HEAD:
            raise ProxyRefused("sent too large a head")

        self._h11.receive_data(data)

        try:
            while (event := self._h11.next_event()) is not h11.NEED_DATA:
                if isinstance(event, h11.Response):
                    self._status = event.status_code
                    return
        except h11.RemoteProtocolError:
            raise ProxyRefused("did not answer in HTTP") from None

    def check(self) -> None:
        """Raise `ProxyRefused` unless the tunnel is open, and empty."""
        if not 200 <= self._status < 300:
            raise ProxyRefused(f"answered {self._status}")

        # The upstream has nothing to say yet. What came would pass for the beginning of its answer.
        if self._h11.trailing_data[0]:
            raise ProxyRefused("sent bytes of its own into the tunnel")
