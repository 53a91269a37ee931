"""Which pages of other origins may read the answers of a surface (Fetch standard)."""

import re
from collections.abc import Callable, Sequence

from flask import Response, request

from chatproxy.errors import WrongMethod
from chatproxy.web.relay import METHODS, Relay

FIELD_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1024}")

#: Fields of an answer that a page may read beside those that it always may.
EXPOSED = "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id"
PREFLIGHT_SECONDS = "600"


class CrossOrigin:
    """The rules of one surface.

    `allowed` returns the origins, or `*`; none is the state without a setting. `fields` are
    the request headers that a page may send: without them whichever it asks for.
    """

    def __init__(self, allowed: Callable[[], Sequence[str]], fields: str | None = None) -> None:
        self._allowed = allowed
        self._fields = fields

    def preflight(self) -> Response:
        """Answer a browser that asks whether a page may call; raise `WrongMethod`."""
        if self._origin() is None:
            raise WrongMethod("This method is not forwarded.", allowed=METHODS)

        answer = Response(status=204)
        wanted = self._fields or request.headers.get("Access-Control-Request-Headers", "")
        answer.headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
        answer.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS

        if FIELD_NAMES.fullmatch(wanted):
            answer.headers["Access-Control-Allow-Headers"] = wanted

        return answer

    def mark(self, answer: Response) -> Response:
        """Say which pages may read it; what the server behind says of it is not passed on."""
        origin = self._origin()
        ours = [("Access-Control-Allow-Origin", origin)] if origin else []
        ours += [("Access-Control-Expose-Headers", EXPOSED)] if origin else []
        ours += [("Vary", "Origin")] if self._allowed() else []

        if isinstance(answer, Relay):
            answer.add_fields(ours)
        else:
            answer.headers.extend(ours)

        return answer

    def _origin(self) -> str | None:
        """Return what to allow the page that asks, None where it may not, or no page asks."""
        allowed = self._allowed()
        origin = request.headers.get("Origin", "")

        if "*" in allowed:
            return "*" if origin else None

        return origin if origin in allowed else None
