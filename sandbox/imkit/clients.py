"""Clients as the platform keeps them."""

from __future__ import annotations

from typing import Any

from ..answers import Answer
from ..bodies import read_json
from .call import Call, Route
from .envelope import Refusal, success
from .fields import Field, array, checked, identifier, text
from .state import Document
from .tokens import ASKED, bind, binding_in

LIST_MOST = 100
LIMIT = 50
PROFILE = tuple(Field(name, text) for name in ("nickname", "avatarUrl", "email", "description"))
CLIENT = (Field("_id", identifier, required=True), *PROFILE, Field("publicKey", text))


def _upsert(call: Call) -> Answer:
    """Make or change a client, and bind its token first: a conflict must change nothing."""
    given = call.document((*CLIENT, *ASKED))
    binding = binding_in(given, call.now)
    client_id = given["_id"]
    with call.state.lock:
        if binding is not None:
            bind(call.state, client_id, binding)

        call.state.upsert(client_id, _profile(given), call.now)
        bound = binding.shown() if binding else {}
        return success({**call.state.shown(client_id), **bound})


def _upsert_list(call: Call) -> Answer:
    """Make or change many clients, all or none; tokens are not made here."""
    given = call.document((Field("data", array, required=True),))["data"]
    if len(given) > LIST_MOST:
        raise Refusal("INVALID_BODY", f"data must hold at most {LIST_MOST} clients")

    clients = [checked(client, CLIENT) for client in given]
    with call.state.lock:
        for client in clients:
            call.state.upsert(client["_id"], _profile(client), call.now)

    return success({"count": len(clients)})


def _list(call: Call) -> Answer:
    skip, limit = call.number("skip", 0), call.number("limit", LIMIT, LIST_MOST)
    wanted = _filter(dict(call.query).get("q", "{}"))
    with call.state.lock:
        shown = [call.state.shown(client_id) for client_id in call.state.clients]

    found = [client for client in shown if _fits(client, wanted)]
    return success({"totalCount": len(found), "data": found[skip : skip + limit]})


def _profile(given: Document) -> Document:
    return {field.name: given[field.name] for field in CLIENT if field.name in given}


def _filter(given: str) -> dict[str, Any]:
    """Return the fields that a filter compares. Raises Refusal 400 for all else it may hold."""
    try:
        wanted = read_json(given.encode())
    except ValueError as error:
        raise Refusal("INVALID_REQUEST", "q is not JSON") from error

    if not isinstance(wanted, dict) or any(map(_has_operator, wanted.items())):
        raise Refusal("INVALID_REQUEST", "q must be an object of fields and their values")

    return wanted


def _has_operator(item: tuple[str, Any]) -> bool:
    return item[0].startswith("$") or isinstance(item[1], dict)


def _fits(client: Document, wanted: dict[str, Any]) -> bool:
    return all(client.get(name) == value for name, value in wanted.items())


def _count_connections(call: Call) -> Answer:
    return success({"count": 0})


ROUTES = (
    Route("POST", "/admin/clients", _upsert, platform_only=True),
    Route("GET", "/admin/clients", _list, platform_only=True),
    Route("POST", "/admin/clients/list", _upsert_list, platform_only=True),
    Route("GET", "/admin/connection-count", _count_connections, platform_only=True),
)
