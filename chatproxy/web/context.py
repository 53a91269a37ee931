"""The context of one request, from its first line to its last byte."""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from chatproxy.errors import CallerError, ChatproxyError, Side
from chatproxy.forwarding.body import CallerBody
from chatproxy.forwarding.target import Target
from chatproxy.server.caller import Caller

#: Its key in the WSGI environ.
KEY = "chatproxy.context"

#: Short visible ASCII: the caller's id goes into log lines.
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class RequestContext:
    """One request. Times are in seconds.

    `refusal` is the error in its head, answered before any view is called. `authenticated` is what
    the route's guard returned, `surface` the provider or part that the route belongs to.
    `listener_mount` is the path that the listener serves at its root.
    """

    def __init__(self, environ: Mapping[str, Any], monotonic: Callable[[], float]) -> None:
        self.environ = environ
        self.monotonic = monotonic
        self.started = monotonic()
        self.id = _request_id(environ)
        self.socket = environ.get("gunicorn.socket")
        self.caller = Caller(self.socket)
        self.target = Target("", None)
        self.listener_mount = ""
        self.body: CallerBody | None = None
        self.refusal: CallerError | None = None
        self.surface = ""
        self.authenticated: Any = None
        self.status = 0
        self.sent = 0
        self.first_byte: float | None = None
        self.broken_by: Side | None = None
        self.notes: dict[str, Any] = {}

    def seconds(self) -> float:
        """Return the seconds since the request began."""
        return self.monotonic() - self.started

    def note(self, error: ChatproxyError) -> None:
        """Record an error for the log line."""
        self.broken_by = error.side
        self.notes["error"] = {"type": type(error).__name__, "message": error.message}

        if error.detail:
            self.notes["error"]["detail"] = error.detail

    @property
    def path(self) -> str:
        """The raw path."""
        return self.target.path

    @property
    def received(self) -> int:
        """Bytes of the caller's body that were read."""
        return 0 if self.body is None else self.body.received

    @property
    def has_unread_body(self) -> bool:
        """Say whether the caller may still be sending a body that nobody will read."""
        return self.body is not None and not self.body.ended


def _request_id(environ: Mapping[str, Any]) -> str:
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
