"""Clients as the platform keeps them, each with the tokens that are bound to it.

A token is bound to one client until it is revoked, past its end too.
"""

from __future__ import annotations

from typing import Any

from ..answers import Answer
from ..bodies import read_json
from ..routing import Route
from .call import Call
from .errors import IMKitError, success
from .fields import ARRAY, IDENTIFIER, TEXT, VISIBLE, Field, checked, epoch_of
from .state import Document

LIST_MOST = 100
PAGE = 50
PROFILE = ("nickname", "avatarUrl", "email", "description", "publicKey")
CLIENT = (Field("_id", IDENTIFIER, required=True), *(Field(name, TEXT) for name in PROFILE))
BINDING = (Field("token", VISIBLE), Field("expirationDate", TEXT))


def _upsert(call: Call) -> Answer:
    """Make or change a client, and bind its token first: a conflict must change nothing."""
    given = call.document((*CLIENT, *BINDING))
    bound = {field.name: given.pop(field.name) for field in BINDING if field.name in given}
    client_id = given["_id"]
    with call.state.lock:
        if bound:
            _bind(call, client_id, bound)

        call.state.upsert(client_id, given, call.now)
        return success({**call.state.shown(client_id), **bound})


def _bind(call: Call, client_id: str, bound: Document) -> None:
    """Make the token the client's, or move its end. Raises IMKitError 400 or 409."""
    for field in BINDING:
        if field.name not in bound:
            raise IMKitError("MISSING_PARAMETER", f"{field.name} is required")

    expires = epoch_of(bound["expirationDate"])
    if expires is None or expires <= call.now:
        wanted = "an ISO 8601 date and time with its zone, in the future"
        raise IMKitError("INVALID_BODY", f"expirationDate must be {wanted}")

    holder, _ = call.state.tokens.get(bound["token"], (client_id, 0.0))
    if holder != client_id:
        raise IMKitError("TOKEN_CONFLICT", "Token is bound to another client")

    call.state.tokens[bound["token"]] = (client_id, expires)


def _upsert_list(call: Call) -> Answer:
    """Make or change many clients, all or none; tokens are not bound here."""
    given = call.document((Field("data", ARRAY, required=True),))["data"]
    if len(given) > LIST_MOST:
        raise IMKitError("INVALID_BODY", f"data must hold at most {LIST_MOST} clients")

    clients = [checked(client, CLIENT) for client in given]
    with call.state.lock:
        for client in clients:
            call.state.upsert(client["_id"], client, call.now)

    return success({"count": len(clients)})


def _list(call: Call) -> Answer:
    skip, limit = call.number("skip", 0), call.number("limit", PAGE)
    wanted = _filter(dict(call.query).get("q", "{}"))
    with call.state.lock:
        shown = [call.state.shown(client_id) for client_id in call.state.clients]

    found = [client for client in shown if all(client.get(k) == v for k, v in wanted.items())]
    return success({"totalCount": len(found), "data": found[skip : skip + limit]})


def _filter(given: str) -> dict[str, Any]:
    """Return the fields that a filter compares. Raises IMKitError 400."""
    try:
        wanted = read_json(given.encode())
    except ValueError as error:
        raise IMKitError("INVALID_REQUEST", "q is not JSON") from error

    if not isinstance(wanted, dict):
        raise IMKitError("INVALID_REQUEST", "q must be an object of fields and their values")

    return wanted


def _count_connections(call: Call) -> Answer:
    return success({"count": 0})


def _revoke(call: Call) -> Answer:
    """Revoke one of a client's tokens, or all where none is named."""
    given = call.document(BINDING[:1])
    with call.state.lock:
        client_id = call.known(call.params["id"])
        held = [one for one, (holder, _) in call.state.tokens.items() if holder == client_id]
        if "token" in given and given["token"] not in held:
            raise IMKitError("TOKEN_NOT_FOUND", "Specified token not found for this client")

        revoked = [given["token"]] if "token" in given else held
        for one in revoked:
            del call.state.tokens[one]

    which = "Token" if "token" in given else "All tokens"
    message = f"{which} revoked successfully"
    return success({"success": True, "message": message, "revokedTokens": len(revoked)})


ROUTES = (
    Route("POST", "/admin/clients", _upsert, server_only=True),
    Route("GET", "/admin/clients", _list, server_only=True),
    Route("POST", "/admin/clients/list", _upsert_list, server_only=True),
    Route("GET", "/admin/connection-count", _count_connections, server_only=True),
    Route("DELETE", "/admin/clients/{id}/token", _revoke, server_only=True),
)
