"""The pooled `requests` session through which every call to a provider goes."""

from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import requests
from requests.adapters import BaseAdapter

from chatproxy.errors import AnswerBroken, UpstreamBroken, UpstreamError
from chatproxy.forwarding.answers import Head
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.connect import Connector
from chatproxy.forwarding.connection import SWITCHING, Connection
from chatproxy.forwarding.pool import Pool
from chatproxy.forwarding.retry import may_repeat
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Deadline
from chatproxy.forwarding.tunnel import Proxy
from chatproxy.metrics.upstreams import UpstreamCounts
from chatproxy.settings.files import MountedFile


class AnswerStream:
    """The answer's raw header fields, and its body on the connection."""

    def __init__(
        self,
        head: Head,
        connection: Connection,
        pool: Pool,
        deadline: Deadline,
        counts: UpstreamCounts,
    ) -> None:
        self.fields = head.fields
        self._counts = counts
        self._connection: Connection | None = connection
        self._pool = pool
        self._pieces = connection.pieces(deadline)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body's bytes as they came; then give the connection back.

        Raises `AnswerBroken` if the body breaks off.
        """
        # Never decoded: inflating a small gzip body could take all memory, and the caller gets
        # the coding that it asked for.
        try:
            yield from self._pieces
        except BaseException as error:
            self.close()

            if isinstance(error, AnswerBroken):
                self._counts.failed(error)

            raise

        if self._connection is not None:
            connection, self._connection = self._connection, None
            self._pool.give(connection)

    def close(self) -> None:
        """Close the connection unless the body was read to its end.

        In the pool, the unread rest would pass for the beginning of the next answer.
        """
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class Response(requests.Response):
    """The head of an answer as an adapter returns it; `raw` is its stream."""

    raw: AnswerStream

    def __init__(self, call: Call, head: Head, stream: AnswerStream) -> None:
        # Not as `requests` does: its jar for cookies and its dictionary of fields, which nobody
        # reads here, cost as much as reading the answer.
        self.status_code = head.status
        self.reason = head.reason
        self.url = ""  # it holds the API key, and `requests` quotes it in its messages
        self.request = call
        self.raw = stream


class UpstreamAdapter(BaseAdapter):
    """Sends the session's calls to one upstream, and to nowhere else."""

    def __init__(self, pool: Pool, connector: Connector, counts: UpstreamCounts) -> None:
        super().__init__()
        self._pool = pool
        self._connector = connector
        self._counts = counts

    def send(self, call: Call, **_: Any) -> Response:  # type: ignore[override]
        """Send one call, streamed; raise the errors of `chatproxy.errors`, never requests'."""
        monotonic = call.deadline.monotonic
        began = monotonic()

        try:
            response = self._send(call)
        except UpstreamError as error:
            self._counts.failed(error)
            raise

        self._counts.answered(response.status_code, monotonic() - began)
        return response

    def _send(self, call: Call) -> Response:
        request = call.head()
        connection = self._pool.take() or self._connector.connect(call.deadline)

        try:
            head = self._exchange(connection, request, call)
        except UpstreamBroken as error:
            reused = connection.reused

            if not may_repeat(error, str(call.method), has_body=call.consumes_body, reused=reused):
                raise

            call.rewind()
            # Past the pool, so that the second attempt is the last one.
            connection = self._connector.connect(call.deadline)
            head = self._exchange(connection, request, call)

        return Response(call, head, self.stream(head, connection, call))

    def switch(self, call: Call) -> tuple[Head, Connection]:
        """Ask for another protocol on a connection of its own; return the head, and that one."""
        began = call.deadline.monotonic()
        connection = None

        try:
            connection = self._connector.connect(call.deadline)
            head = connection.exchange(call.head(), None, call.deadline, switching=True)
        except BaseException as error:
            if connection is not None:
                connection.close()

            if isinstance(error, UpstreamError):
                self._counts.failed(error)

            raise

        self._counts.answered(head.status, call.deadline.monotonic() - began)
        return head, connection

    def stream(self, head: Head, connection: Connection, call: Call) -> AnswerStream:
        """Return an answer on a connection, to be read or closed."""
        return AnswerStream(head, connection, self._pool, call.deadline, self._counts)

    def reach(self, deadline: Deadline) -> None:
        """Open a connection, and close it without a word; raise `UpstreamError`."""
        self._connector.connect(deadline).close()

    def connect_by(self, ca_file: MountedFile | None, proxy: Proxy | None) -> None:
        """Open further connections with other certificates, or by another proxy."""
        self._connector.connect_by(ca_file, proxy)

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()
        self._connector.close()

    def _exchange(self, connection: Connection, request: bytes, call: Call) -> Head:
        try:
            return connection.exchange(request, call.upload, call.deadline)
        except BaseException as error:
            connection.close()
            broke = isinstance(error, UpstreamBroken) and not error.answer_begun

            if broke or connection.fell_silent:
                # A NAT or a firewall forgets an idle connection without a word, the longest idle
                # first. One by one, each would cost a caller the read limit.
                self._pool.close_since(connection.idle_since)

            raise


def open_session(
    upstream: Upstream,
    monotonic: Callable[[], float],
    *,
    pool_size: int,
    max_age: float,
    ca_file: MountedFile | None = None,
    proxy: Proxy | None = None,
    counts: UpstreamCounts | None = None,
) -> requests.Session:
    """Make a session that can reach one upstream and nothing else."""
    counts = counts or UpstreamCounts()
    session = requests.Session()
    # Else an entry in ~/.netrc for the host replaces our Authorization header, and a proxy
    # variable sends the URL with its API key to the proxy.
    session.trust_env = False
    # The session serves all users: a stored cookie would go out with the next one's request.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()
    pool = Pool(pool_size, max_age, monotonic, counts)
    adapter = UpstreamAdapter(pool, Connector(upstream, ca_file, proxy, counts), counts)
    # The only adapter, so a URL that leads anywhere else finds none. `requests` matches by prefix:
    # without the slash, https://chat.example would also be the front of https://chat.example.org.
    session.mount(f"{upstream.origin}{upstream.base_path}/", adapter)
    return session


def reach(session: requests.Session, deadline: Deadline) -> None:
    """Connect to a session's upstream and say nothing; raise `UpstreamError`."""
    for adapter in session.adapters.values():
        cast(UpstreamAdapter, adapter).reach(deadline)


def connect_by(session: requests.Session, ca_file: MountedFile | None, proxy: Proxy | None) -> None:
    """Open a session's further connections with other certificates, or by another proxy."""
    for adapter in session.adapters.values():
        cast(UpstreamAdapter, adapter).connect_by(ca_file, proxy)


def switch(session: requests.Session, call: Call) -> tuple[Head, Connection | AnswerStream]:
    """Ask for another protocol; return the head of the 101 and the connection, to be closed.

    Where it is refused that is an answer's head, and its body as it comes.
    """
    adapter = cast(UpstreamAdapter, session.get_adapter(str(call.url)))
    head, connection = adapter.switch(call)

    if head.status == SWITCHING:
        return head, connection

    return head, adapter.stream(head, connection, call)


def send(session: requests.Session, call: Call) -> tuple[requests.Response, AnswerStream]:
    """Send a call through a session; return the answer's head, and its body as it comes."""
    # To the adapter at once. What `requests` does around it, hooks, cookies and redirects, is not
    # wanted: to another host it drops `Authorization`, but not a header it does not know, such as
    # `api-secret`.
    adapter: UpstreamAdapter = session.get_adapter(str(call.url))  # type: ignore[assignment]
    response = adapter.send(call)
    return response, response.raw
