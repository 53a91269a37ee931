"""The pooled `requests` session through which every call to a provider goes."""

import dataclasses
from collections.abc import Callable, Iterator
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import h11
import requests
from requests.adapters import BaseAdapter

from chatproxy.errors import UpstreamBroken
from chatproxy.forwarding.body import CallerBody, taking_turns
from chatproxy.forwarding.connection import Connection
from chatproxy.forwarding.dialling import Dialler
from chatproxy.forwarding.patience import Limits, Patience
from chatproxy.forwarding.pool import Pool
from chatproxy.forwarding.retry import may_repeat
from chatproxy.forwarding.target import Upstream

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
        upload = self.upload
        return upload is not None and upload.length != 0 and not upload.is_held

    def renew(self) -> None:
        """Prepare for a second attempt."""
        if self.upload is not None:
            self.upload.rewind()


class AnswerStream:
    """The answer's body on its connection, and the raw header fields before it."""

    def __init__(
        self, head: h11.Response, connection: Connection, pool: Pool, patience: Patience
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


class UpstreamAdapter(BaseAdapter):
    """Sends the session's requests to one upstream, and to nowhere else."""

    def __init__(
        self,
        upstream: Upstream,
        limits: Limits,
        monotonic: Callable[[], float],
        *,
        pool_size: int,
        ca_file: str | None,
    ) -> None:
        super().__init__()
        self._upstream = upstream
        self._limits = limits
        self._monotonic = monotonic
        self._pool = Pool(pool_size, monotonic)
        self._dialler = Dialler(upstream, ca_file)

    def send(  # type: ignore[override]
        self, request: requests.PreparedRequest, **_: Any
    ) -> requests.Response:
        """Send one request, streamed; `Call` brings its own patience and body.

        Raises the errors of `chatproxy.errors`, never those of requests.
        """
        call = request if isinstance(request, Call) else self._own_call(request)
        connection = self._pool.take() or self._dialler.connect(call.patience)

        try:
            head = connection.exchange(_head_of(call), call.upload, call.patience)
        except UpstreamBroken as error:
            reused = connection.reused
            connection.close()

            if not may_repeat(error, str(call.method), has_body=call.has_body, reused=reused):
                raise

            call.renew()
            connection = self._dialler.connect(call.patience)
            head = _exchange_or_close(connection, call)
        except BaseException:
            connection.close()
            raise

        return self._response(call, head, connection)

    def close(self) -> None:
        """Close what is idle."""
        self._pool.close()
        self._dialler.close()

    def _own_call(self, request: requests.PreparedRequest) -> Call:
        """Take over a request that the sidecar makes for itself."""
        pairs = [("Host", self._upstream.authority), *request.headers.items()]
        limits = self._limits
        # Whoever waits for it gets no piece of it: the whole answer has the limits of a head.
        brief = dataclasses.replace(limits, body_idle=limits.read, body_total=limits.total)
        patience = Patience(brief, self._monotonic)
        content = request.body
        pairs = [pair for pair in pairs if pair[0].lower() != "content-length"]  # framed below

        if isinstance(content, str):
            content = content.encode()

        body = CallerBody.held(content) if content else None
        return Call(str(request.method), str(request.url), pairs, body, patience)

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


def open_session(
    upstream: Upstream,
    limits: Limits,
    monotonic: Callable[[], float],
    *,
    pool_size: int,
    ca_file: str | None = None,
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
    adapter = UpstreamAdapter(upstream, limits, monotonic, pool_size=pool_size, ca_file=ca_file)
    session.mount(f"{upstream.origin}{upstream.base_path}/", adapter)
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
