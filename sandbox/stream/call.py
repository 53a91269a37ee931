"""What a handler is given, and the rows of the routing table that lead to it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

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
        document: Document = checked(read_json(self.query.get("payload", "{}")), dict, "payload")
        return document

    def part(self, name: str, kind: type = dict) -> Any:
        """Return a required field of the body, of the given type. Raises StreamError 4."""
        return checked(self.body.get(name), kind, name)

    def acting_user(self, source: Mapping[str, Any], place: str, name: str = "user") -> Document:
        """Who does it: the token's user, else whom a server names as `user_id` or `user`.

        A `user` object is created where it is new. Raises StreamError 4.
        """
        if self.principal.user_id is not None:
            return self.state.named_user(self.principal.user_id, place)

        if source.get(f"{name}_id"):
            return self.state.named_user(source[f"{name}_id"], place)

        if isinstance(source.get(name), dict):
            return self.state.add_user(str(source[name].get("id")))

        wanted = f"either {name} or {name}_id must be provided in {place}"
        raise StreamError(INPUT, f"{wanted} when using server side auth.", place)

    def only_for(self, user_id: str) -> None:
        """Refuse a user's token, unless it is this user's. Raises StreamError 17."""
        if not self.principal.is_server and self.principal.user_id != user_id:
            raise StreamError(NOT_ALLOWED, "a user may only change what is its own")


def checked(value: Any, kind: type, name: str) -> Any:
    """Return the value, if it is of its type. Raises StreamError 4."""
    if not isinstance(value, kind):
        raise StreamError(INPUT, f"{name} is a required field of type {kind.__name__}", name)

    return value


def read_object(request: Request) -> Document:
    """Return the JSON object of a request's body. Raises StreamError 4."""
    body = b"".join(limited(request, JSON_LIMIT))
    try:
        document: Document = checked(read_json(body or b"{}"), dict, "body")
    except ValueError as error:
        raise StreamError(INPUT, "body is not valid JSON", "body") from error

    return document


def endpoint(
    method: str,
    path: str,
    handler: Callable[[Call], Document],
    *,
    folders: Sequence[str],
    server_only: bool = False,
    is_open: bool = False,
    read: Callable[[Request], Document] = read_object,
) -> tuple[Route[Call], ...]:
    """Return an endpoint's rows of the table: one for each version, in that version's folder.

    `read` makes the call's body of what was sent.
    """
    run = _answering(handler, read)
    return tuple(Route(method, folder + path, run, server_only, is_open) for folder in folders)


# Version 2 has the chat's own endpoints in one folder, those of all products in another.
chat = partial(endpoint, folders=("", f"{V2}/chat"))
common = partial(endpoint, folders=("", V2))
common_v1 = partial(endpoint, folders=("",))
common_v2 = partial(endpoint, folders=(V2,))


def _answering(
    handler: Callable[[Call], Document], read: Callable[[Request], Document]
) -> Callable[[Call], Answer]:
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
