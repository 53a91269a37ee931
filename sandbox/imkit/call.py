"""What a handler is given."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from ..answers import Request
from ..bodies import Field, missing, read_json, small, wrong
from ..wire import Head
from .authentication import named_client
from .errors import IMKitError
from .state import Document, State

JSON_TYPE = re.compile(r"application/json\s*(;.*)?", re.IGNORECASE)
# Of so many digits only, since longer numbers could not be converted.
NUMBER = re.compile(r"[0-9]{1,6}", re.ASCII)


def checked(document: Any, fields: Sequence[Field]) -> Document:
    """Return the known fields, if all is right with them. Raises IMKitError 400."""
    if not isinstance(document, dict):
        raise IMKitError("INVALID_BODY", "the body must be an object")

    for name in missing(document, fields):
        raise IMKitError("MISSING_PARAMETER", f"{name} is required")

    for name in wrong(document, fields):
        raise IMKitError("INVALID_BODY", f"{name} is not of its type")

    return {field.name: document[field.name] for field in fields if field.name in document}


@dataclass(frozen=True)
class Call:
    """One call at `now`, in epoch seconds; `client_id` is None where the platform calls."""

    request: Request
    state: State
    now: float
    client_id: str | None
    params: Mapping[str, str]

    @property
    def head(self) -> Head:
        """The request's head."""
        return self.request.head

    @property
    def query(self) -> list[tuple[str, str]]:
        """The decoded query, in the order it came."""
        return parse_qsl(self.head.target.partition("?")[2], keep_blank_values=True)

    def document(self, fields: Sequence[Field]) -> Document:
        """Return the body's known fields, if all is right with them. Raises IMKitError 400.

        No body counts as an empty object; one of another content type is refused, because a
        server that took it for none would revoke all tokens instead of one.
        """
        body = small(self.request)
        if body and not JSON_TYPE.fullmatch("".join(self.head.values("content-type"))):
            raise IMKitError("INVALID_BODY", "Content-Type must be application/json, once")

        try:
            return checked(read_json(body or b"{}"), fields)
        except ValueError as error:
            raise IMKitError("INVALID_BODY", "the body is not JSON") from error

    def number(self, name: str, default: int) -> int:
        """Return a whole number from the query. Raises IMKitError 400."""
        given = dict(self.query).get(name, str(default))
        if not NUMBER.fullmatch(given):
            raise IMKitError("INVALID_REQUEST", f"{name} must be a number below a million")

        return int(given)

    def subject(self) -> str | None:
        """Return whom the call is about: who calls, else the client whom the platform names."""
        return named_client(self.head) if self.client_id is None else self.client_id

    def known(self, client_id: str | None) -> str:
        """Return the id, if there is such a client. Raises IMKitError 400 or 404."""
        if client_id is None:
            raise IMKitError("MISSING_PARAMETER", "IM-CLIENT-ID is required")

        if client_id not in self.state.clients:
            raise IMKitError("CLIENT_NOT_FOUND", f"Client with id '{client_id}' not found")

        return client_id
