"""CORS: which pages of other origins may read a surface's answers (Fetch standard)."""

import re
from collections.abc import Callable, Sequence

from flask import Response, request

from chatproxy.errors import WrongMethod
from chatproxy.web.relay import METHODS, Relay

#: A list of field names (RFC 9110 section 5.6.2). It is echoed, so nothing else may be in it.
FIELD_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1024}")

#: Fields of an answer that a page may read in addition to the safelisted ones.
EXPOSED = "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id"
PREFLIGHT_SECONDS = "600"


class CrossOrigin:
    """The rules of one surface.

    `allowed` returns the origins, `*` for any, nothing without a setting. `fields` are the request
    headers that a page may send; None allows those that it asks for.
    """

    def __init__(self, allowed: Callable[[], Sequence[str]], fields: str | None = None) -> None:
        self._allowed = allowed
        self._fields = fields

    def preflight(self) -> Response:
        """Answer a preflight request; raise `WrongMethod` if the origin is not allowed."""
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
        """Add the fields that say which pages may read the answer."""
        origin = self._origin()
        ours = [("Access-Control-Allow-Origin", origin)] if origin else []
        ours += [("Access-Control-Expose-Headers", EXPOSED)] if origin else []
        # Also without an Origin: a cache must not give this answer to a page of another one.
        ours += [("Vary", "Origin")] if self._allowed() else []

        if isinstance(answer, Relay):
            answer.add_fields(ours)
        else:
            answer.headers.extend(ours)

        return answer

    def _origin(self) -> str | None:
        # The value of `Access-Control-Allow-Origin`. One origin is echoed: the field takes no list.
        allowed = self._allowed()
        origin = request.headers.get("Origin", "")

        if "*" in allowed:
            return "*" if origin else None

        return origin if origin in allowed else None
