"""How a connection to an upstream is opened."""

import concurrent.futures
import contextlib
import socket
import ssl
from typing import Any

import certifi

from chatproxy.errors import UpstreamTimeout, UpstreamUnreachable
from chatproxy.forwarding.connection import Connection
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Deadline

#: Threads for name look-ups, which the system offers without a time limit.
LOOK_UPS = 8


class Connector:
    """Opens connections to one upstream, over TLS where its scheme says so."""

    def __init__(self, upstream: Upstream, ca_file: str | None) -> None:
        self._upstream = upstream
        self._look_ups = concurrent.futures.ThreadPoolExecutor(LOOK_UPS, "name-look-up")
        is_secure = upstream.scheme == "https"
        trusted = ca_file or certifi.where()
        self._tls = ssl.create_default_context(cafile=trusted) if is_secure else None

    def close(self) -> None:
        """Let go of the look-up threads."""
        self._look_ups.shutdown(wait=False, cancel_futures=True)

    def connect(self, deadline: Deadline) -> Connection:
        """Open a connection: look up, connect and shake hands within one limit.

        Raises `UpstreamUnreachable` and `UpstreamTimeout`.
        """
        until = deadline.monotonic() + deadline.limits.connect

        try:
            sock = self._connected(until, deadline)
            return Connection(self._secured(sock, until, deadline))
        except (TimeoutError, concurrent.futures.TimeoutError) as error:
            raise UpstreamTimeout("The chat provider could not be reached in time.") from error
        except socket.gaierror as error:
            raise UpstreamUnreachable(
                "The chat provider's name could not be resolved.", detail=str(error)
            ) from error
        except ssl.SSLError as error:
            raise UpstreamUnreachable(
                "No secure connection to the chat provider.", detail=str(error)
            ) from error
        except OSError as error:
            raise UpstreamUnreachable(
                "The chat provider could not be reached.", detail=str(error)
            ) from error

    def _connected(self, until: float, deadline: Deadline) -> socket.socket:
        """Try each address of the name until one accepts."""
        failure: OSError | None = None

        for family, kind, protocol, _, address in self._addresses(until, deadline):
            sock = socket.socket(family, kind, protocol)

            try:
                sock.settimeout(deadline.remaining(at_most=until - deadline.monotonic()))
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.connect(address)
            except OSError as error:
                sock.close()
                failure = error
            except UpstreamTimeout:
                sock.close()
                raise
            else:
                return sock

        raise failure or OSError("the name has no address")

    def _addresses(self, until: float, deadline: Deadline) -> list[Any]:
        """Look the name up in a thread: the system's own look-up has no time limit."""
        host, port = self._upstream.host, self._upstream.port

        if _is_address(host):
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

        found = self._look_ups.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)

        try:
            return found.result(timeout=deadline.remaining(at_most=until - deadline.monotonic()))
        finally:
            found.cancel()  # one that has not begun is of no use to anybody any more

    def _secured(self, sock: socket.socket, until: float, deadline: Deadline) -> socket.socket:
        if self._tls is None:
            return sock

        try:
            sock.settimeout(deadline.remaining(at_most=until - deadline.monotonic()))
            # A connection that ends without TLS's own goodbye may have been cut.
            return self._tls.wrap_socket(
                sock, server_hostname=self._upstream.host, suppress_ragged_eofs=False
            )
        except BaseException:
            sock.close()
            raise


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, host)
            return True

    return False
