"""The request that is being served, and the worker that serves it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from flask import Flask, Request, current_app, request

from chatproxy.access.rules import Caller as AccessCaller
from chatproxy.errors import CallerError, ChatproxyError, Side
from chatproxy.formats import traceparent
from chatproxy.forwarding.body import CallerBody
from chatproxy.forwarding.target import Target
from chatproxy.logs import correlation
from chatproxy.metrics import requests as counted
from chatproxy.providers.base import Provider
from chatproxy.server.caller import Caller
from chatproxy.services import Services
from chatproxy.settings.listeners import Door, Listener

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory
    from chatproxy.limiting.limiter import Limiter
    from chatproxy.tracing.spans import RequestSpan

T = TypeVar("T")
ProviderT = TypeVar("ProviderT", bound=Provider)

NO_TARGET = Target("", None)

#: Its key in the WSGI environ.
KEY = "chatproxy.context"


#: What the proxies of Flask stand for. Through them each attribute is looked up anew.
current_request: Callable[[], Request] = request._get_current_object  # type: ignore[attr-defined]
_current_app: Callable[[], Flask] = current_app._get_current_object  # type: ignore[attr-defined]


class RequestContext:
    """One request. Times are in seconds.

    `refusal` is the error in its head, answered before any view is called. `authenticated` is what
    the route's guard returned, `surface` the provider or part that the route belongs to. `route` is
    the route's path as the documents spell it, `provider` the provider that has it, or neither.
    `called_by` is the caller's name in the access document, empty without one, and `may_do` is what
    the document lets it do. `listener` is where the request came in, and `mount` is what stands
    before its path there, as `Listener.mount` and `rest` have it. `is_last` says that the caller
    was told to send no further request on the connection. `ids` are the fields that every line has
    which is written while the request is served. `span` is there if spans are sent.
    """

    __slots__ = (
        "authenticated",
        "body",
        "broken_by",
        "called_by",
        "first_byte",
        "id",
        "ids",
        "is_last",
        "listener",
        "may_do",
        "monotonic",
        "mount",
        "notes",
        "provider",
        "refusal",
        "route",
        "sent",
        "socket",
        "span",
        "started",
        "status",
        "surface",
        "target",
    )

    def __init__(
        self, environ: Mapping[str, Any], listener: Listener, monotonic: Callable[[], float]
    ) -> None:
        # Not the environ itself, which holds this: the cycle would keep both, and the caller's
        # credentials in them, until the next garbage collection.
        self.monotonic = monotonic
        self.started = monotonic()
        self.id = correlation.request_id(environ.get("HTTP_X_REQUEST_ID", ""))
        self.ids = {"reqId": self.id}

        if (trace := environ.get("HTTP_TRACEPARENT")) is not None:
            self.ids |= _trace_ids(trace)

        self.socket = environ.get("gunicorn.socket")
        self.span: RequestSpan | None = None
        self.target = NO_TARGET
        self.listener = listener
        self.mount = listener.mount
        self.body: CallerBody | None = None
        self.refusal: CallerError | None = None
        self.surface = ""
        self.route = ""
        self.provider = ""
        self.called_by = ""
        self.may_do: AccessCaller | None = None
        self.authenticated: Any = None
        self.is_last = False
        self.status = 0
        self.sent = 0
        self.first_byte: float | None = None
        self.broken_by: Side | None = None
        self.notes: dict[str, Any] = {}

    def seconds(self) -> float:
        """Return the seconds since the request began."""
        return self.monotonic() - self.started

    @property
    def caller(self) -> Caller:
        """The connection on which the request came."""
        return Caller(self.socket)

    def has_left(self) -> bool:
        """Say whether the caller has certainly closed its connection."""
        return self.caller.has_left()

    def note(self, error: ChatproxyError) -> None:
        """Record an error for the log line, and count it."""
        self.broken_by = error.side
        self.notes["error"] = {"type": type(error).__name__, "message": error.message}

        if error.detail:
            self.notes["error"]["detail"] = error.detail

        self.count_refusal(error)

    def count_refusal(self, error: ChatproxyError) -> None:
        """Count what an error says about the caller, its credential, and the limits."""
        counted.count_refusal(self.provider, error, self.called_by)

    @property
    def path(self) -> str:
        """The raw path."""
        return self.target.path

    @property
    def received(self) -> int:
        """Bytes of the caller's body that were read."""
        return 0 if self.body is None else self.body.received

    def release_body(self) -> None:
        """Say that the body is not needed any more."""
        if self.body is not None:
            self.body.release()

    @property
    def has_unread_body(self) -> bool:
        """Say whether the caller may still be sending a body that nobody will read."""
        return self.body is not None and not self.body.ended


def services() -> Services:
    """Return the worker's services."""
    found: Services = _current_app().extensions["chatproxy"]
    return found


def context() -> RequestContext:
    """Return the context of the request."""
    found: RequestContext = current_request().environ[KEY]
    return found


def serves(door: Door) -> bool:
    """Say whether the routes of a door are reached where the request came in."""
    return door in context().listener.serves


def surface_path() -> str:
    """Return the path by which the surface is found whose errors are answered."""
    # By the route that was found, however its path was spelt. The target of a refused request may
    # be unreadable; then gunicorn's reading has to do.
    found = None if request.url_rule is None else request.url_rule.rule
    return found or context().path or request.path


def authenticated(kind: type[T]) -> T:
    """Return what the route's guard returned: the caller's key, user or token."""
    found = context().authenticated
    assert isinstance(found, kind)  # noqa: S101 - the table in `routes` names the guard
    return found


def provider(kind: type[ProviderT]) -> ProviderT:
    """Return the provider of a class. Its endpoints are registered only if it is on."""
    return services().provider(kind)


def directory() -> "Directory":
    """Return the directory, which exists if a provider that knows users is on."""
    found = services().directory
    assert found is not None  # noqa: S101 - see `Services`
    return found


def limiter() -> "Limiter":
    """Return the limiter, which exists if the directory or an access document does."""
    found = services().limiter
    assert found is not None  # noqa: S101 - see `Services`
    return found


def now() -> float:
    """Return the time of day in epoch seconds."""
    return services().clock.now()


def _trace_ids(field: str) -> dict[str, str]:
    found = traceparent.read(field)
    return {} if found is None else {"traceId": found[0], "spanId": found[1]}
