"""Opening a connection to an upstream."""

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

#: Threads that resolve names. getaddrinfo(3) has no time limit, so it is waited for from
#: outside; one that hangs keeps its thread until the system gives up.
RESOLVER_THREADS = 8


class Connector:
    """Opens connections to one upstream, over TLS if its scheme is https."""

    def __init__(self, upstream: Upstream, ca_file: str | None) -> None:
        self._upstream = upstream
        self._resolver = concurrent.futures.ThreadPoolExecutor(RESOLVER_THREADS, "resolver")
        # Made here, since reading the certificates takes long. The default context checks the
        # chain and the host name, and nothing below ever turns that off.
        trusted = ca_file or certifi.where()
        is_secure = upstream.scheme == "https"
        self._tls = ssl.create_default_context(cafile=trusted) if is_secure else None

    def close(self) -> None:
        """Stop the resolver threads without waiting for them."""
        self._resolver.shutdown(wait=False, cancel_futures=True)

    def connect(self, deadline: Deadline) -> Connection:
        """Resolve, connect and shake hands, within one time limit for all three.

        Raises `UpstreamUnreachable` and `UpstreamTimeout`.
        """
        until = deadline.monotonic() + deadline.limits.connect

        try:
            sock = self._open_socket(until, deadline)
            return Connection(self._wrap_tls(sock, until, deadline))
        # The order counts: all of these are subclasses of OSError.
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

    def _open_socket(self, until: float, deadline: Deadline) -> socket.socket:
        failure: OSError | None = None

        # A name often has an IPv6 address where the machine has no IPv6 route, so every
        # address is tried in the resolver's order (RFC 6724).
        for family, kind, protocol, _, address in self._resolve(until, deadline):
            sock = socket.socket(family, kind, protocol)

            try:
                sock.settimeout(deadline.remaining(at_most=until - deadline.monotonic()))
                # Head and body are written apart. With Nagle's algorithm a small second write
                # waits until the first one is acknowledged (tcp(7)).
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

    def _resolve(self, until: float, deadline: Deadline) -> list[Any]:
        host, port = self._upstream.host, self._upstream.port

        if _is_address(host):
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

        lookup = self._resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)

        try:
            return lookup.result(timeout=deadline.remaining(at_most=until - deadline.monotonic()))
        finally:
            lookup.cancel()  # after a timeout: frees the queue if it has not started

    def _wrap_tls(self, sock: socket.socket, until: float, deadline: Deadline) -> socket.socket:
        if self._tls is None:
            return sock

        # A dot at the end of a name is for resolvers. SNI (RFC 6066 section 3) and certificates
        # have the name without it, and with it no certificate would fit.
        name = self._upstream.host.removesuffix(".")

        try:
            sock.settimeout(deadline.remaining(at_most=until - deadline.monotonic()))
            # An end without close_notify may be an attacker's cut (RFC 8446 section 6.1). Python
            # would report it as an ordinary end of data.
            return self._tls.wrap_socket(sock, server_hostname=name, suppress_ragged_eofs=False)
        except BaseException:
            sock.close()
            raise


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, host)
            return True

    return False
