"""Opening a connection to an upstream."""

import concurrent.futures
import contextlib
import errno
import os
import select
import socket
import ssl

import certifi

from chatproxy.errors import (
    ProxyTimeout,
    ProxyUnreachable,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from chatproxy.formats.certificates import trusting
from chatproxy.forwarding.attempts import Address, Attempt, NoneReady, Race, Steps, interleaved
from chatproxy.forwarding.connection import Connection
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Deadline
from chatproxy.forwarding.tunnel import (
    Proxy,
    ProxyFailed,
    ProxyRefused,
    ProxyTimedOut,
    TunnelBroke,
    Waits,
    open_tunnel,
)
from chatproxy.metrics.upstreams import UpstreamCounts
from chatproxy.settings.files import MountedFile

#: Threads that resolve names. getaddrinfo(3) has no time limit, so it is waited for from
#: outside; one that hangs keeps its thread until the system gives up.
RESOLVER_THREADS = 8

#: What a failed connection is called. With several addresses the first row that fits one of them
#: counts: that one came furthest.
FAILURES: tuple[tuple[type[OSError], type[UpstreamError], str], ...] = (
    (ssl.SSLError, UpstreamUnreachable, "No secure connection to the chat provider."),
    (TimeoutError, UpstreamTimeout, "The chat provider could not be reached in time."),
    (TunnelBroke, ProxyUnreachable, "The outbound proxy's tunnel did not lead to the provider."),
    (ProxyRefused, ProxyUnreachable, "The outbound proxy did not connect to the chat provider."),
    (ProxyTimedOut, ProxyTimeout, "The outbound proxy did not connect in time."),
    (ProxyFailed, ProxyUnreachable, "The outbound proxy could not be reached."),
    (OSError, UpstreamUnreachable, "The chat provider could not be reached."),
)
#: Failures that a log line names.
MOST_NAMED = 8


class Connector:
    """Opens connections to one upstream, over TLS if its scheme is https.

    With a proxy all of them lead through it.
    """

    def __init__(
        self,
        upstream: Upstream,
        ca_file: MountedFile | None,
        proxy: Proxy | None = None,
        counts: UpstreamCounts | None = None,
    ) -> None:
        self._upstream = upstream
        self._counts = counts or UpstreamCounts()
        self._ca_file = ca_file
        self._proxy = proxy
        self._resolver = concurrent.futures.ThreadPoolExecutor(RESOLVER_THREADS, "resolver")
        # Made here, since reading the certificates takes long.
        self._tls = self._context(ca_file) if upstream.scheme == "https" else None

    def connect_by(self, ca_file: MountedFile | None, proxy: Proxy | None) -> None:
        """Trust other authorities, and be another user at the proxy, from the next one on."""
        self._proxy = proxy

        # Of the upstreams together it would else keep the worker from its calls for long.
        if self._tls is not None and ca_file != self._ca_file:
            self._tls = self._context(ca_file)

        self._ca_file = ca_file

    @staticmethod
    def _context(ca_file: MountedFile | None) -> ssl.SSLContext:
        # The default context checks the chain and the host name, and nothing below ever turns that
        # off.
        if ca_file is None:
            return ssl.create_default_context(cafile=certifi.where())

        return trusting(ca_file.content)

    def close(self) -> None:
        """Stop the resolver threads without waiting for them."""
        self._resolver.shutdown(wait=False, cancel_futures=True)

    def connect(self, deadline: Deadline) -> Connection:
        """Resolve, connect and shake hands, within one time limit for all three.

        Where the name has several addresses, the first that is ready wins. Raises
        `UpstreamUnreachable` and `UpstreamTimeout`.
        """
        began = deadline.monotonic()
        until = began + deadline.remaining(at_most=deadline.limits.connect)
        # Read once: where it changes meanwhile, the one proxy is not shown the other's password.
        proxy = self._proxy
        attempts = [
            Attempt(str(address[4][0]), self._steps(address, proxy))
            for address in interleaved(self._resolve(until - deadline.monotonic(), proxy))
        ]

        try:
            sock = Race(attempts, until, deadline.monotonic).run()
        except NoneReady as error:
            raise _failure(error) from error

        opened_at = deadline.monotonic()
        self._counts.opened(opened_at - began)
        return Connection(sock, opened_at, on_close=self._counts.closed)

    def _resolve(self, seconds: float, proxy: Proxy | None) -> list[Address]:
        hop = proxy or self._upstream
        host, port = hop.host, hop.port
        hop_name = "The outbound proxy" if proxy else "The chat provider"

        if _is_address(host):
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

        lookup = self._resolver.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)

        try:
            return lookup.result(timeout=seconds)
        except concurrent.futures.TimeoutError as error:
            message = f"{hop_name}'s name was not resolved in time."
            raise (ProxyTimeout if proxy else UpstreamTimeout)(message) from error
        # A name that cannot be one, such as `a..b`, is refused before any look-up.
        except (OSError, UnicodeError) as error:
            message = f"{hop_name}'s name could not be resolved."
            kind = ProxyUnreachable if proxy else UpstreamUnreachable
            raise kind(message, detail=str(error)) from error
        finally:
            lookup.cancel()  # after a timeout: frees the queue if it has not started

    def _steps(self, address: Address, proxy: Proxy | None) -> Steps:
        """Connect to one address, and shake hands."""
        # The handshake is a part of the attempt: behind an address that takes connections there
        # may be nobody, or somebody else.
        family, kind, protocol, _, where = address
        sock = socket.socket(family, kind, protocol)

        try:
            sock.setblocking(False)
            # Head and body are written apart. With Nagle's algorithm a small second write waits
            # until the first one is acknowledged (tcp(7)).
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

            if proxy is None:
                yield from _reach(sock, where)
            else:
                yield from self._pass_through(proxy, sock, where)

            if self._tls is not None:
                sock = self._wrap(self._tls, sock)
                yield from _shake_hands(sock, tunnelled=proxy is not None)
        except BaseException:
            sock.close()
            raise

        return sock

    def _pass_through(self, proxy: Proxy, sock: socket.socket, where: Address) -> Waits:
        host = f"[{self._upstream.host}]" if ":" in self._upstream.host else self._upstream.host

        try:
            yield from _reach(sock, where)
            yield from open_tunnel(sock, proxy, f"{host}:{self._upstream.port}")
        except ProxyFailed:
            raise
        except TimeoutError as error:
            raise ProxyTimedOut(_reason(error)) from error
        except OSError as error:
            raise ProxyFailed(_reason(error)) from error

    def _wrap(self, tls: ssl.SSLContext, sock: socket.socket) -> ssl.SSLSocket:
        # A dot at the end of a name is for resolvers. SNI (RFC 6066 section 3) and certificates
        # have the name without it, and with it no certificate would fit.
        name = self._upstream.host.removesuffix(".")

        # A proxy may have found a name that cannot be one, such as `a..b`. `wrap_socket` would
        # refuse it as well, and leave the socket open.
        try:
            self._upstream.host.encode("idna")
        except UnicodeError as error:
            raise OSError(str(error)) from error

        # An end without close_notify may be an attacker's cut (RFC 8446 section 6.1). Python
        # would report it as an ordinary end of data.
        return tls.wrap_socket(
            sock, server_hostname=name, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )


def _shake_hands(sock: ssl.SSLSocket, *, tunnelled: bool) -> Waits:
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            yield sock, select.POLLIN
        except ssl.SSLWantWriteError:
            yield sock, select.POLLOUT
        except OSError as error:
            # A proxy may say yes before it has connected, and close the tunnel or send a page
            # into it where that fails. Certificates and alerts are another server's.
            if not tunnelled or isinstance(error, ssl.SSLCertVerificationError):
                raise

            if "ALERT" in (getattr(error, "reason", None) or ""):
                raise

            raise TunnelBroke(_reason(error)) from error
        else:
            return


def _reach(sock: socket.socket, where: Address) -> Waits:
    code = sock.connect_ex(where)

    if code == errno.EINPROGRESS:
        yield sock, select.POLLOUT
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)

    if code:
        raise OSError(code, os.strerror(code))


def _failure(found: NoneReady) -> UpstreamError:
    named = [f"{name}: {_reason(error)}" for name, error in found.failures[:MOST_NAMED]]
    more = len(found.failures) - len(named)
    detail = "; ".join(named) + (f"; and {more} more" if more else "")
    errors = [error for _, error in found.failures] or [OSError()]

    return next(
        make(message, detail=detail or "the name has no address")
        for kind, make, message in FAILURES
        if any(isinstance(error, kind) for error in errors)
    )


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, host)
            return True

    return False
