"""What a handler is given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from ..answers import Request
from ..bodies import limited, read_json
from ..wire import Head
from .authentication import named_client
from .errors import IMKitError
from .fields import Field, checked
from .state import Document, State

BODY_LIMIT = 1024 * 1024
NUMBER_MOST = 1_000_000
JSON_TYPE = re.compile(r"application/json\s*(;.*)?", re.IGNORECASE)


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
        return checked(self._json(), fields)

    def number(self, name: str, default: int) -> int:
        """Return a whole number from the query. Raises IMKitError 400."""
        given = dict(self.query).get(name, str(default))
        # Longer ones could not be converted.
        is_short = given.isascii() and given.isdigit() and len(given) <= len(str(NUMBER_MOST))
        if not is_short or int(given) > NUMBER_MOST:
            raise IMKitError("INVALID_REQUEST", f"{name} must be a number up to {NUMBER_MOST}")

        return int(given)

    def subject(self) -> str | None:
        """Return whom the call is about: who calls, else the client whom the platform names."""
        return named_client(self.head) if self.client_id is None else self.client_id

    def known_subject(self) -> str:
        """Return whom the call is about, if there is such a client. Raises IMKitError 400 or 404."""
        client_id = self.subject()
        if client_id is None:
            raise IMKitError("MISSING_PARAMETER", "IM-CLIENT-ID is required")

        return self.known(client_id)

    def known(self, client_id: str) -> str:
        """Return the id, if there is such a client. Raises IMKitError 404."""
        if client_id not in self.state.clients:
            raise IMKitError("CLIENT_NOT_FOUND", f"Client with id '{client_id}' not found")

        return client_id

    def _json(self) -> Any:
        body = b"".join(limited(self.request, BODY_LIMIT))
        if not body:
            return {}

        if not JSON_TYPE.fullmatch("".join(self.head.values("content-type"))):
            raise IMKitError("INVALID_BODY", "Content-Type must be application/json, once")

        try:
            return read_json(body)
        except ValueError as error:
            raise IMKitError("INVALID_BODY", "the body is not JSON") from error
