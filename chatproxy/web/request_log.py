"""The outermost layer: it gives each request its context and its id, and writes its log line.

The line is written when the answer's stream closes, not when the view returns: only then is it
known how many bytes went each way and which side broke off.
"""

import socket
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, unquote_to_bytes

from chatproxy.errors import BadTarget, CallerError, ChatproxyError
from chatproxy.formats.authority import AUTHORITY
from chatproxy.forwarding.body import Held
from chatproxy.forwarding.target import Target
from chatproxy.logs import access, correlation
from chatproxy.metrics import requests as counted
from chatproxy.metrics.table import IN_FLIGHT
from chatproxy.server.input import body_of
from chatproxy.server.waits import WAITS
from chatproxy.services import Services
from chatproxy.settings.listeners import Listener
from chatproxy.web import faults
from chatproxy.web.current import KEY, RequestContext

if TYPE_CHECKING:
    from chatproxy.tracing.spans import RequestSpan

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]

#: The field in which each answer says under which id its lines are in the log.
REQUEST_ID = "X-Request-Id"


class RequestLog:
    """WSGI middleware. `listeners` are those of the server, the service's first.

    `taken` are the first segments of paths that what stands at the root of a door leaves alone.
    """

    def __init__(
        self,
        app: WsgiApp,
        services: Services,
        listeners: Sequence[Listener],
        taken: Collection[str] = (),
    ) -> None:
        self._app = app
        self._renew = services.renew
        self._tracing = services.tracing
        self._monotonic = services.clock.monotonic
        self._limits = services.limits
        self._held = Held(services.settings.max_held_bytes, WAITS.end_holding)
        self._is_ending = services.lifetime.is_ending
        self._by_port = {str(one.port): one for one in listeners}
        self._service = listeners[0]
        has_console = services.settings.console == "true"
        self._remember = faults.keeper(services.clock.now) if has_console else None
        self._taken = taken

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        self._renew()
        listener = self._listener(environ)
        context = environ[KEY] = RequestContext(environ, listener, self._monotonic)
        self._read(context, environ)

        is_probe = context.path.startswith(access.STATUS_PREFIX)

        # Nobody looks for the trace of a probe, which comes every few seconds.
        if self._tracing is not None and not is_probe:
            context.span = self._tracing.begin(environ)
            context.ids.update(context.span.ids())

        correlation.begin(context.ids)
        access.write_incoming(context, environ)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            context.status = int(status[:3])
            context.release_body()

            # With an unread body the caller goes on sending, and gunicorn would look for its next
            # request in the middle of it (RFC 9112 section 9.3). Before a stop the caller is told:
            # it would send its next request into a connection that is being closed.
            context.is_last = context.refusal is not None or self._is_ending()

            headers = [*headers, (REQUEST_ID, context.id)]

            if context.is_last or context.has_unread_body:
                headers.append(("Connection", "close"))

            return start_response(status, headers, exc_info)

        # A scrape would else always find itself, and an idle sidecar never be idle.
        if not is_probe:
            IN_FLIGHT.add()

        try:
            return _Stream(self._app(environ, start), context, environ, self._remember)
        except BaseException:  # such as the end of the worker's greenlets
            if not is_probe:
                IN_FLIGHT.add(by=-1)

            raise

    def _listener(self, environ: Mapping[str, Any]) -> Listener:
        # Most servers have one, and to ask a socket for its family makes an object each time.
        if len(self._by_port) == 1:
            return self._service

        # The port is that of the socket on which the connection was accepted. For a Unix socket
        # gunicorn takes it from `Host`, by which the caller would choose its door. Where gunicorn
        # was told to listen elsewhere, that is the service's door.
        connection = environ.get("gunicorn.socket")

        if connection is not None and connection.family == socket.AF_UNIX:
            return self._service

        return self._by_port.get(environ["SERVER_PORT"], self._service)

    def _read(self, context: RequestContext, environ: dict[str, Any]) -> None:
        # An error is kept, not raised: outside the application nothing answers it properly.
        raw = environ.get("RAW_URI") or "/"

        try:
            if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
                # First, so that a refused request with a body is known to have one.
                context.body = body_of(environ, self._limits, self._monotonic, self._held)

            _check_host(environ)
            target = Target.read(raw)
        except CallerError as error:
            context.refusal = error

            if raw.startswith("/"):
                # For its log line. An absolute URL might hold a password.
                path = raw.partition("?")[0]
                context.target = Target(self._mount(context.listener, path) + path, None)

            return

        mount = context.mount = self._mount(context.listener, target.path)

        if target.authority is not None:
            # `Host` has to be ignored beside it (RFC 9112 section 3.2.2).
            environ["HTTP_HOST"] = target.authority

        context.target = Target(mount + target.path, target.query) if mount else target
        place_in(environ, context.target)

    def _mount(self, listener: Listener, path: str) -> str:
        # Decoded, as the router reads it: `/%61pi/x` is below `/api`.
        if listener.rest and unquote(path[1:].partition("/")[0]) not in self._taken:
            return listener.rest

        return listener.mount


def place_in(environ: dict[str, Any], target: Target) -> None:
    """Let a request be routed by its target."""
    # Routing and forwarding decide from one reading of the raw target. gunicorn's differs for the
    # absolute form, and knows nothing of mounts. PEP 3333 wants the path decoded.
    environ["SCRIPT_NAME"] = ""
    environ["PATH_INFO"] = unquote_to_bytes(target.path).decode("latin-1")
    environ["QUERY_STRING"] = target.query or ""


class _Stream:
    def __init__(
        self,
        pieces: Iterable[bytes],
        context: RequestContext,
        environ: Mapping[str, Any],
        remember: Callable[[RequestContext], None] | None,
    ) -> None:
        self._pieces = pieces
        self._iterator = iter(pieces)
        self._context = context
        self._environ = environ
        self._remember = remember
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        context = self._context

        try:
            piece = next(self._iterator)
        except StopIteration:
            self._ended = True
            raise
        except ChatproxyError as error:
            self._ended = True
            context.note(error)
            self._reset_where_the_end_is_the_length()
            raise

        if context.first_byte is None:
            context.first_byte = context.seconds()

        context.sent += len(piece)
        return piece

    def close(self) -> None:
        # The server calls this when the answer is out, and also when it cannot go out (PEP 3333).
        context = self._context

        if not self._ended:
            self._note_why(context)
            self._reset_where_the_end_is_the_length()

        try:
            if hasattr(self._pieces, "close"):
                self._pieces.close()
        finally:
            if not context.path.startswith(access.STATUS_PREFIX):
                IN_FLIGHT.add(by=-1)

        context.release_body()
        # First, since the line takes longer: a caller may have its answer, and scrape.
        _count(context, self._environ["REQUEST_METHOD"])
        access.write(context, self._environ)

        if self._remember is not None:
            self._remember(context)

        if context.span is not None:
            _end(context.span, context)

        if context.is_last or context.has_unread_body:
            context.caller.linger(context.monotonic)

    def _note_why(self, context: RequestContext) -> None:
        # What gunicorn closes the stream for: a write that failed, or the end of the worker.
        error = sys.exc_info()[1]

        if isinstance(error, ChatproxyError):
            context.note(error)

        context.broken_by = context.broken_by or "caller"

    def _reset_where_the_end_is_the_length(self) -> None:
        # HTTP/1.0 has no chunked coding, so the end of the connection may be what ends the answer.
        # A plain close would make a broken one look complete.
        if self._environ["SERVER_PROTOCOL"] == "HTTP/1.0":
            self._context.caller.reset()


def _end(span: "RequestSpan", context: RequestContext) -> None:
    error = context.notes.get("error", {}).get("type", "")
    span.end(
        context.status,
        context.broken_by,
        error,
        route=context.route,
        provider=context.provider,
        caller=context.called_by,
    )


def _count(context: RequestContext, method: str) -> None:
    last = context.seconds()
    first = last if context.first_byte is None else context.first_byte
    hundreds = context.status // 100
    ended = counted.Ended(context.route, context.provider, method, hundreds, context.called_by)
    counted.count(ended, first=first, last=last, received=context.received, sent=context.sent)

    if context.broken_by is not None:
        counted.count_broken(context.provider, context.broken_by)


def _check_host(environ: Mapping[str, Any]) -> None:
    # RFC 9112 section 3.2 demands a 400 without a valid `Host`; gunicorn lets a missing one pass.
    host = environ.get("HTTP_HOST")

    if host is None and environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        return

    if not host or not AUTHORITY.fullmatch(host):
        raise BadTarget("The request needs one valid Host header.")
