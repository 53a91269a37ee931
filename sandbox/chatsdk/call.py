"""What a handler is given."""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from ..answers import Request
from ..bodies import Field, missing, read_json, small, wrong
from .authentication import Caller, Credentials
from .errors import Thrown, of_body

JSON_TYPE = re.compile(r"application/([a-z.-]+\+)?json(;.*)?")


@dataclass
class State:
    """All that the stand-in remembers: channels by their `cid`. Hold `lock` to use them."""

    users: set[str] = field(default_factory=set)
    sessions: set[str] = field(default_factory=set)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(frozen=True)
class Call:
    """One call at `now`, in epoch seconds."""

    request: Request
    credentials: Credentials
    state: State
    now: float
    caller: Caller

    def document(self, fields: Sequence[Field]) -> dict[str, Any]:
        """Return the JSON body, if all is right with it. Raises Refusal 400.

        A body of another content type counts as an empty object. Unknown fields are ignored.
        """
        content_type = "".join(self.request.head.values("content-type"))
        document = self._json() if JSON_TYPE.fullmatch(content_type) else {}
        if not isinstance(document, dict):
            raise of_body()

        problems = missing(document, fields) or wrong(document, fields)
        if problems:
            raise of_body(*problems)

        return document

    def acting_user(self, scope: str) -> str:
        """Return the user who calls. Raises Thrown 401, and 403 for a token without the scope."""
        user_id, scopes = self.caller
        if user_id is None:
            raise Thrown(401, "User authentication required")

        if scopes is not None and scope not in scopes:
            raise Thrown(403, f"Token scope required: {scope}")

        return user_id

    def _json(self) -> Any:
        try:
            return read_json(small(self.request))
        except ValueError as error:
            raise Thrown(400, "Malformed JSON in request body") from error
