"""What a handler is given."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..answers import Request
from ..bodies import Field, missing, read_json, small, wrong
from .errors import IMKitError
from .state import Document, State

JSON_TYPE = re.compile(r"application/json\s*(;.*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """One call at `now`, in epoch seconds; `client_id` is None where the platform calls."""

    request: Request
    state: State
    now: float
    client_id: str | None
    params: Mapping[str, str]

    def document(self, fields: Sequence[Field]) -> Document:
        """Return the body's known fields, if all is right with them. Raises IMKitError 400.

        No body counts as an empty object; one of another content type is refused, because a
        server that took it for none would revoke all tokens instead of one.
        """
        body = small(self.request)
        content_type = "".join(self.request.head.values("content-type"))
        if body and not JSON_TYPE.fullmatch(content_type):
            raise IMKitError("INVALID_BODY", "Content-Type must be application/json, once")

        try:
            return checked(read_json(body or b"{}"), fields)
        except ValueError as error:
            raise IMKitError("INVALID_BODY", "the body is not JSON") from error

    def known(self, client_id: str | None) -> str:
        """Return the id, if there is such a client. Raises IMKitError 400 or 404."""
        if client_id is None:
            raise IMKitError("MISSING_PARAMETER", "IM-CLIENT-ID is required")

        if client_id not in self.state.clients:
            raise IMKitError("CLIENT_NOT_FOUND", f"Client with id '{client_id}' not found")

        return client_id


def checked(document: Any, fields: Sequence[Field]) -> Document:
    """Return the known fields, if all is right with them. Raises IMKitError 400."""
    if not isinstance(document, dict):
        raise IMKitError("INVALID_BODY", "the body must be an object")

    for name in missing(document, fields):
        raise IMKitError("MISSING_PARAMETER", f"{name} is required")

    for name in wrong(document, fields):
        raise IMKitError("INVALID_BODY", f"{name} is not of its type")

    return {field.name: document[field.name] for field in fields if field.name in document}
