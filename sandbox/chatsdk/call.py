"""What a handler is given."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..answers import Request
from ..bodies import limited, read_json
from .authentication import Credentials
from .errors import of_api, of_body
from .state import Document, State

BODY_LIMIT = 1024 * 1024
JSON_TYPE = re.compile(r"application/([a-z.-]+\+)?json(;.*)?")


class Field(NamedTuple):
    """A field of a body: an optional one may be absent, but not null."""

    name: str
    kind: type
    required: bool = False


@dataclass(frozen=True)
class Call:
    """One call at `now`, in epoch seconds; `user_id` is None where a server calls."""

    request: Request
    credentials: Credentials
    state: State
    now: float
    user_id: str | None

    def document(self, fields: Sequence[Field]) -> Document:
        """Return the JSON body, if all is right with it. Raises Refusal 400.

        A body of another content type counts as an empty object. Unknown fields are ignored.
        """
        content_type = "".join(self.request.head.values("content-type"))
        document = self._json() if JSON_TYPE.fullmatch(content_type) else {}
        if not isinstance(document, dict):
            raise of_body([])

        wrong = [field.name for field in fields if not _fits(field, document)]
        if wrong:
            raise of_body(wrong)

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


def _fits(field: Field, document: Document) -> bool:
    if field.name not in document:
        return not field.required

    value = document[field.name]
    return isinstance(value, field.kind) and (value != "" or not field.required)
