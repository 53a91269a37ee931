"""What a handler is given, and the rows of the routing table that lead to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..answers import Answer, Request, json_answer
from ..bodies import limited, read_json
from ..routing import Route
from .authentication import Principal
from .errors import INPUT, NO_TIME, NOT_ALLOWED, StreamError
from .rendering import render
from .state import Document, State

JSON_LIMIT = 8 * 1024 * 1024
V2 = "/api/v2"


@dataclass
class Call:
    """One authenticated call, in version 1 or 2 of the interface; values are decoded.

    `body` is the JSON object that came, or what was read from an upload; empty where none came.
    """

    request: Request
    state: State
    version: int
    principal: Principal
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Document = field(default_factory=dict)

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

    def only_for(self, user_id: str) -> None:
        """Refuse a user's token, unless it is this user's. Raises StreamError 17."""
        if not self.principal.is_server and self.principal.user_id != user_id:
            raise StreamError(NOT_ALLOWED, "a user may only change what is its own")


Handler = Callable[[Call], Document]
Read = Callable[[Request], Document]


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


def read_object(request: Request) -> Document:
    """Return the JSON object of a request's body. Raises StreamError 4."""
    body = b"".join(limited(request, JSON_LIMIT))
    try:
        document = read_json(body or b"{}")
    except ValueError as error:
        raise StreamError(INPUT, "body is not valid JSON", {"body": "bad JSON"}) from error

    if not isinstance(document, dict):
        raise StreamError(INPUT, "body must be an object", {"body": "must be an object"})

    return document


def endpoint(
    name: str,
    method: str,
    path: str,
    handler: Handler,
    *,
    family: Literal["chat", "common"] = "chat",
    versions: tuple[int, ...] = (1, 2),
    server_only: bool = False,
    read: Read = read_object,
) -> tuple[Route[Call], ...]:
    """Return an endpoint's rows of the table, one for each version that has it.

    Version 2 has the `chat` family under a folder of its own. `read` makes the call's body of
    what was sent.
    """
    folders = {1: "", 2: f"{V2}/chat" if family == "chat" else V2}
    return tuple(
        Route(method, folders[version] + path, _answering(handler, read), server_only, name)
        for version in versions
    )


def _answering(handler: Handler, read: Read) -> Callable[[Call], Answer]:
    """Let a handler run with its body read and the state locked, and answer what it returns."""

    def answer(call: Call) -> Answer:
        # Before the lock: an upload may take its time.
        call.body = read(call.request)
        with call.state.lock:
            try:
                document = render(handler(call), call.version)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                # A handler reads what it is sent without a schema; junk fails somewhere inside.
                raise StreamError(INPUT, f"body is not of the right form: {error!r}") from error

        created = call.request.head.method in ("POST", "PUT")
        return json_answer(201 if created else 200, {**document, "duration": NO_TIME})

    return answer
