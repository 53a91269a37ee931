"""What a handler is given, and the routes that say which handler it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ..paths import match
from .authentication import Principal
from .errors import INPUT, NOT_ALLOWED, StreamError
from .state import Document, State

Family = Literal["chat", "common"]


@dataclass
class Call:
    """One authenticated call: version 1 or 2, values decoded, the JSON body (empty where none).

    `secret` signs the tokens that the server itself gives out.
    """

    state: State
    version: int
    principal: Principal
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Document
    secret: str
    upload: Document = field(default_factory=dict)

    def payload(self) -> Document:
        """Return the JSON object in the query's `payload`. Raises StreamError 4."""
        try:
            payload = json.loads(self.query.get("payload", "{}"))
        except (ValueError, RecursionError) as error:
            fields = {"payload": "bad JSON"}
            raise StreamError(INPUT, "payload is not valid JSON", fields) from error

        document: Document = checked(payload, dict, "payload")
        return document

    def part(self, name: str, kind: type = dict) -> Any:
        """Return a required field of the body, of the given type. Raises StreamError 4."""
        return checked(self.body.get(name), kind, name)

    def acting_user(self, source: Mapping[str, Any], place: str, *names: str) -> Document:
        """Who does it: the token's user, else whom a server names as `user_id` or `user`.

        A `user` object is created where it is new. Raises StreamError 4.
        """
        if self.principal.user_id is not None:
            return self.state.named_user(self.principal.user_id, place)

        for name in names or ("user",):
            if source.get(f"{name}_id"):
                return self.state.named_user(str(source[f"{name}_id"]), place)

            if isinstance(source.get(name), dict):
                return self.state.add_user(str(source[name].get("id")))

        wanted = " or ".join(f"{name} or {name}_id" for name in names or ("user",))
        raise StreamError(
            INPUT,
            f"either {wanted} must be provided in {place} when using server side auth.",
            {place: f"{wanted} is required"},
        )

    def server_only(self, what: str) -> None:
        """Refuse a user's token. Raises StreamError 17."""
        if not self.principal.is_server:
            raise StreamError(NOT_ALLOWED, f"{what} is only allowed with server side auth")


def checked(value: Any, kind: type, name: str) -> Any:
    """Return the value, if it is of its type. Raises StreamError 4."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise StreamError(INPUT, f"{name} is a required field", {name: f"must be {kind.__name__}"})

    return value


def page(source: Mapping[str, Any], default: int, most: int) -> tuple[int, int]:
    """Limit and offset of a query. Raises StreamError 4 where the limit is above `most`."""
    try:
        limit, offset = int(source.get("limit") or default), int(source.get("offset") or 0)
    except (TypeError, ValueError) as error:
        raise StreamError(INPUT, "limit and offset are numbers", {"limit": "number"}) from error

    if not 0 < limit <= most:
        raise StreamError(INPUT, f"limit must be between 1 and {most}", {"limit": f"max {most}"})

    return limit, offset


@dataclass(frozen=True)
class Route:
    """One endpoint: `{name}` in the path takes one segment.

    Version 2 has it under `/api/v2/chat` or, where `family` is common, under `/api/v2`.
    """

    endpoint: str
    method: str
    path: str
    handler: Callable[[Call], Document]
    family: Family = "chat"
    versions: tuple[int, ...] = (1, 2)
    server_only: bool = False
    upload: bool = False


PREFIXES: tuple[tuple[str, int, Family | None], ...] = (
    ("/api/v2/chat/", 2, "chat"),
    ("/api/v2/", 2, "common"),
    ("/", 1, None),
)


class Routes:
    """Finds routes; the first that fits wins, so literal paths stand before patterns."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.all = tuple(routes)
        self._by_shape: dict[tuple[str, int], list[tuple[list[str], Route]]] = {}
        for route in routes:
            parts = route.path.strip("/").split("/")
            self._by_shape.setdefault((route.method, len(parts)), []).append((parts, route))

    def find(self, method: str, path: str) -> tuple[Route, int, dict[str, str]] | None:
        """Return the route, the version and the decoded path values; None where there is none."""
        prefix, version, family = next(row for row in PREFIXES if path.startswith(row[0]))
        segments = path[len(prefix) :].split("/")
        for parts, route in self._by_shape.get((method, len(segments)), ()):
            if version in route.versions and family in (None, route.family):
                values = match(parts, segments)
                if values is not None:
                    return route, version, values

        return None
