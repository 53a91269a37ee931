"""The pooled `requests` session through which every call to a provider goes."""

import collections
import concurrent.futures
import contextlib
import socket
import ssl
from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import certifi
import h11
import requests
from requests.adapters import BaseAdapter

from chatproxy.errors import UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from chatproxy.forwarding.body import CallerBody, taking_turns
from chatproxy.forwarding.connection import Connection
from chatproxy.forwarding.patience import Limits, Patience
from chatproxy.forwarding.retry import may_repeat
from chatproxy.forwarding.target import Upstream

#: Seconds after which an idle connection is not used again: load balancers close
#: theirs at 60, and a request sent into a closing one is lost.
OLDEST_IDLE = 50.0

#: Threads for name look-ups, which the system offers without a time limit.
LOOK_UPS = 8

#: Methods whose lack of a body should be said (RFC 9110 section 8.6).
EXPECTED_TO_HAVE_A_BODY = frozenset({"POST", "PUT", "PATCH"})


class Call(requests.PreparedRequest):
    """A request that is ready as it stands: nothing of it is prepared or normalised."""

    def __init__(
        self,
        method: str,
        url: str,
        pairs: list[tuple[str, str]],
        body: CallerBody | None,
        patience: Patience,
    ) -> None:
        super().__init__()
        self.method = method
        self.url = url
        self.pairs = pairs
        self.upload = body
        self.patience = patience

    @property
    def has_body(self) -> bool:
        """Say whether sending the request uses up bytes of the caller's."""
        return self.upload is not None and self.upload.length != 0


class AnswerStream:
    """The answer's body on its connection, and the raw header fields before it."""

    def __init__(
        self, head: h11.Response, connection: Connection, pool: "Pool", patience: Patience
    ) -> None:
        self.fields = head.headers.raw_items()
        self._connection: Connection | None = connection
        self._pool = pool
        self._pieces = connection.pieces(patience)

    def stream(self, _size: int | None = None, decode_content: bool = False) -> Iterator[bytes]:  # noqa: ARG002
        """Yield the body's bytes as they came, never decoded; then give the connection back."""
        try:
            yield from taking_turns(self._pieces)
        except BaseException:
            self.close()
            raise

        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._pool.give(connection)

    def close(self) -> None:
        """Close the connection unless the body was read to its end."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Pool:
    """Idle connections, the most recently used first."""

    def __init__(self, size: int, monotonic: Callable[[], float]) -> None:
        self._idle: collections.deque[tuple[float, Connection]] = collections.deque(maxlen=size)
        self._monotonic = monotonic

    def take(self) -> Connection | None:
        """Return a connection that still seems open, or None."""
        while True:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                return None

            if self._monotonic() - since < OLDEST_IDLE and connection.is_silent():
                return connection

            connection.close()

    def give(self, connection: Connection) -> None:
        """Keep a connection for the next call, where it can have one and there is room."""
        if not connection.make_ready() or not self._idle.maxlen:
            connection.close()
            return

        if len(self._idle) == self._idle.maxlen:
            with contextlib.suppress(IndexError):
                self._idle.popleft()[1].close()

        self._idle.append((self._monotonic(), connection))

    def close(self) -> None:
        """Close all idle connections."""
        while self._idle:
            self._idle.pop()[1].close()


class UpstreamAdapter(BaseAdapter):
    """Sends the session's requests to one upstream, and to nowhere else."""

    def __init__(
        self, upstream: Upstream, limits: Limits, pool_size: int, monotonic: Callable[[], float]
    ) -> None:
        super().__init__()
        self._upstream = upstream
        self._limits = limits
        self._monotonic = monotonic
        self._pool = Pool(pool_size, monotonic)
        self._look_ups = concurrent.futures.ThreadPoolExecutor(LOOK_UPS, "name-look-up")
        self._tls = _tls_context() if upstream.scheme == "https" else None

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_: Any
    ) -> requests.Response:
        """Send one request, streamed; `Call` brings its own patience and body.

        Raises the errors of `chatproxy.errors`, never those of requests.
        """
        call = request if isinstance(request, Call) else self._own_call(request)
        connection = self._pool.take() or self._connect(call.patience)

        try:
            head = connection.exchange(_head_of(call), call.upload, call.patience)
        except UpstreamBroken as error:
            reused = connection.reused
            connection.close()

            if not may_repeat(error, str(call.method), has_body=call.has_body, reused=reused):
                raise

            connection = self._connect(call.patience)
            head = _exchange_or_close(connection, call)
        except BaseException:
            connection.close()
            raise

        return self._response(call, head, connection)

    def close(self) -> None:
        """Close what is idle."""
        self._pool.close()
        self._look_ups.shutdown(wait=False, cancel_futures=True)

    def _own_call(self, request: requests.PreparedRequest) -> Call:
        """Take over a request that the sidecar makes for itself."""
        pairs = [("Host", self._upstream.authority), *request.headers.items()]
        patience = Patience(self._limits, self._monotonic)
        return Call(str(request.method), str(request.url), pairs, None, patience)

    def _response(
        self, call: Call, head: h11.Response, connection: Connection
    ) -> requests.Response:
        response = requests.Response()
        response.status_code = head.status_code
        response.reason = head.reason.decode("latin-1")
        response.url = ""
        response.request = call
        response.raw = AnswerStream(head, connection, self._pool, call.patience)
        return response

    def _connect(self, patience: Patience) -> Connection:
        """Open a connection: look up, connect and shake hands within one limit."""
        until = patience.monotonic() + patience.limits.connect

        try:
            sock = self._connected(until, patience)
            return Connection(self._secured(sock, until, patience))
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

    def _connected(self, until: float, patience: Patience) -> socket.socket:
        """Try each address of the name until one accepts."""
        failure: OSError | None = None

        for family, kind, protocol, _, address in self._addresses(until, patience):
            sock = socket.socket(family, kind, protocol)

            try:
                sock.settimeout(patience.left(at_most=until - patience.monotonic()))
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

    def _addresses(self, until: float, patience: Patience) -> list[Any]:
        """Look the name up in a thread: the system's own look-up has no time limit."""
        host, port = self._upstream.host, self._upstream.port

        if _is_address(host):
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)

        found = self._look_ups.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        return found.result(timeout=patience.left(at_most=until - patience.monotonic()))

    def _secured(self, sock: socket.socket, until: float, patience: Patience) -> socket.socket:
        if self._tls is None:
            return sock

        try:
            sock.settimeout(patience.left(at_most=until - patience.monotonic()))
            return self._tls.wrap_socket(sock, server_hostname=self._upstream.host)
        except BaseException:
            sock.close()
            raise


def open_session(
    upstream: Upstream, limits: Limits, pool_size: int, monotonic: Callable[[], float]
) -> requests.Session:
    """Make a session that can reach one upstream and nothing beside it.

    It has one adapter, mounted at the upstream's base: a URL that leads anywhere
    else finds none. It follows no redirect, keeps no cookie, and trusts neither
    netrc nor proxy variables, each of which would carry credentials away.
    """
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()
    base = f"{upstream.origin}{upstream.base_path}/"
    session.mount(base, UpstreamAdapter(upstream, limits, pool_size, monotonic))
    return session


def _head_of(call: Call) -> h11.Request:
    """Frame the request as its body came: sized stays sized, chunked stays chunked."""
    pairs = list(call.pairs)

    if call.upload is not None and call.upload.length is None:
        pairs.append(("Transfer-Encoding", "chunked"))
    elif call.upload is not None:
        pairs.append(("Content-Length", str(call.upload.length)))
    elif call.method in EXPECTED_TO_HAVE_A_BODY:
        pairs.append(("Content-Length", "0"))

    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]
    target = "/" + str(call.url).split("/", 3)[3]
    return h11.Request(method=str(call.method), target=target, headers=fields)


def _exchange_or_close(connection: Connection, call: Call) -> h11.Response:
    try:
        return connection.exchange(_head_of(call), call.upload, call.patience)
    except BaseException:
        connection.close()
        raise


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, host)
            return True

    return False


def _tls_context() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
