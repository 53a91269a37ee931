"""The outermost layer: gives each request its context and writes its line in the log.

The line is written when the answer's stream closes, not when a view returns: only
then it is known how many bytes went each way and which side broke it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

from chatproxy.errors import BadTarget, CallerError, ChatproxyError
from chatproxy.formats.authority import AUTHORITY
from chatproxy.forwarding.target import Target
from chatproxy.logs import access
from chatproxy.server.input import body_of
from chatproxy.services import Services
from chatproxy.web.context import KEY, RequestContext

StartResponse = Callable[..., Any]
WsgiApp = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


class RequestLog:
    """The layer around the application.

    `mounts` maps the port of a listener to the path that stands at its root.
    """

    def __init__(self, app: WsgiApp, services: Services, mounts: Mapping[str, str]) -> None:
        self._app = app
        self._monotonic = services.clock.monotonic
        self._limits = services.limits
        self._mounts = mounts

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Serve one request."""
        context = environ[KEY] = RequestContext(environ, self._monotonic)
        self._read(context, environ)

        access.write_incoming(context, environ)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            context.status = int(status[:3])
            context.caller.limit_writes(self._limits.body_idle)

            if context.refusal is not None or context.has_unread_body:
                # Else the caller goes on sending, and its next request would be
                # looked for in the middle of this one.
                headers = [*headers, ("Connection", "close")]

            return start_response(status, headers, exc_info)

        return _Stream(self._app(environ, start), context, environ)

    def _read(self, context: RequestContext, environ: dict[str, Any]) -> None:
        """Read target, host and framing. What is wrong is kept, and answered in its place."""
        mount = context.listener_mount = self._mounts.get(environ["SERVER_PORT"], "")
        raw = environ.get("RAW_URI") or "/"

        if raw.startswith("/"):
            # For the log, where the target is refused; a URL might name a user.
            context.target = Target(mount + raw.partition("?")[0], None)

        try:
            context.body = body_of(environ, self._limits, self._monotonic)
            _check_host(environ)
            target = Target.read(raw)
            context.target = Target(mount + target.path, target.query)
        except CallerError as error:
            context.refusal = error
            return

        # One reading for routing and forwarding: the server's own differs where
        # the target is in absolute form, and knows nothing of mounts.
        environ["SCRIPT_NAME"] = ""
        environ["PATH_INFO"] = unquote_to_bytes(context.target.path).decode("latin-1")
        environ["QUERY_STRING"] = context.target.query or ""


class _Stream:
    """The answer's pieces on their way out: counted, and the line written at the end."""

    def __init__(
        self, pieces: Iterable[bytes], context: RequestContext, environ: Mapping[str, Any]
    ) -> None:
        self._pieces = pieces
        self._iterator = iter(pieces)
        self._context = context
        self._environ = environ
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
        """Close what is below; called when the answer is out, or cannot go out."""
        context = self._context

        if not self._ended:
            context.broken_by = context.broken_by or "caller"
            self._reset_where_the_end_is_the_length()

        if hasattr(self._pieces, "close"):
            self._pieces.close()

        access.write(context, self._environ)

        if context.has_unread_body:
            context.caller.linger(context.monotonic)

        context.caller.limit_writes(None)

    def _reset_where_the_end_is_the_length(self) -> None:
        """Break an HTTP/1.0 connection visibly: its end may be all that ends the answer."""
        if self._environ["SERVER_PROTOCOL"] == "HTTP/1.0":
            self._context.caller.reset()


def _check_host(environ: Mapping[str, Any]) -> None:
    """Raise `BadTarget` for a missing or unusable `Host` (RFC 9112 section 3.2)."""
    host = environ.get("HTTP_HOST")

    if host is None and environ["SERVER_PROTOCOL"] == "HTTP/1.0":
        return

    if not host or not AUTHORITY.fullmatch(host):
        raise BadTarget("The request needs one valid Host header.")
