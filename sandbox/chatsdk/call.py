"""What a handler is given, and the routes that say which handler it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..answers import Answer, Request
from ..bodies import limited, read_json
from ..wire import Head
from .authentication import Credentials
from .errors import of_api, of_body
from .state import Document, State
from .validation import Field, issues

BODY_LIMIT = 1024 * 1024
JSON_TYPE = re.compile(r"application/([a-z.-]+\+)?json(;.*)?")


@dataclass(frozen=True)
class Call:
    """One call at `now`, in epoch seconds; `user_id` is None where a server calls."""

    request: Request
    credentials: Credentials
    state: State
    now: float
    user_id: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def head(self) -> Head:
        """The request's head."""
        return self.request.head

    def document(self, fields: Sequence[Field]) -> Document:
        """Return the JSON body, if all is right with it. Raises Refusal 400.

        A body of another content type counts as an empty object.
        """
        content_type = "".join(self.head.values("content-type"))
        document: Document = self._json() if JSON_TYPE.fullmatch(content_type) else {}
        found = issues(document, fields)
        if found:
            raise of_body(found)

        return document

    def acting_user(self) -> str:
        """Return the user who calls. Raises Refusal 401."""
        if self.user_id is None:
            raise of_api(401, "User authentication required")

        return self.user_id

    def _json(self) -> Any:
        body = b"".join(limited(self.request, BODY_LIMIT))
        try:
            return read_json(body)
        except ValueError as error:
            raise of_api(400, "Malformed JSON in request body") from error


@dataclass(frozen=True)
class Route:
    """One endpoint: `{name}` in the path takes one segment."""

    method: str
    path: str
    handler: Callable[[Call], Answer]
