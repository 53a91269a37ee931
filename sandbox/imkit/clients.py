"""Clients as the platform keeps them, each with the tokens that are bound to it.

A token is bound to one client until it is revoked, past its end too.
"""

import re
from datetime import datetime

from ..answers import Answer
from ..bodies import Field
from ..routing import Route
from .call import Call, checked
from .errors import IMKitError, success
from .state import Document

LIST_MOST = 100
PROFILE = ("nickname", "avatarUrl", "email", "description", "publicKey")
CLIENT = (Field("_id", str, required=True), *(Field(name, str) for name in PROFILE))
BINDING = (Field("token", str), Field("expirationDate", str))
# A header carries the token as it is: one with a space in it could never be told from a scheme.
TOKEN = re.compile(r"[!-~]+")


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

    token, expires = bound["token"], _epoch_of(bound["expirationDate"])
    if not TOKEN.fullmatch(token) or expires <= call.now:
        raise IMKitError("INVALID_BODY", "token must be visible ASCII, its end in the future")

    holder, _ = call.state.tokens.get(token, (client_id, 0.0))
    if holder != client_id:
        raise IMKitError("TOKEN_CONFLICT", "Token is bound to another client")

    call.state.tokens[token] = (client_id, expires)


def _epoch_of(value: str) -> float:
    """Return a moment; one that is none, or has no zone, is long past."""
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return 0.0

    return moment.timestamp() if moment.tzinfo else 0.0


def _upsert_list(call: Call) -> Answer:
    """Make or change many clients, all or none; tokens are not bound here."""
    given = call.document((Field("data", list, required=True),))["data"]
    if len(given) > LIST_MOST:
        raise IMKitError("INVALID_BODY", f"data must hold at most {LIST_MOST} clients")

    clients = [checked(client, CLIENT) for client in given]
    with call.state.lock:
        for client in clients:
            call.state.upsert(client["_id"], client, call.now)

    return success({"count": len(clients)})


def _list(call: Call) -> Answer:
    with call.state.lock:
        clients = [call.state.shown(client_id) for client_id in call.state.clients]

    return success({"totalCount": len(clients), "data": clients})


def _revoke(call: Call) -> Answer:
    """Revoke one of a client's tokens, or all where none is named."""
    given = call.document(BINDING[:1])
    with call.state.lock:
        client_id = call.known(call.params["id"])
        held = [one for one, (holder, _) in call.state.tokens.items() if holder == client_id]
        revoked = [one for one in held if one == given.get("token", one)]
        if "token" in given and not revoked:
            raise IMKitError("TOKEN_NOT_FOUND", "Specified token not found for this client")

        for one in revoked:
            del call.state.tokens[one]

    which = "Token" if "token" in given else "All tokens"
    message = f"{which} revoked successfully"
    return success({"success": True, "message": message, "revokedTokens": len(revoked)})


ROUTES: tuple[Route[Call], ...] = (
    Route("POST", "/admin/clients", _upsert, server_only=True),
    Route("GET", "/admin/clients", _list, server_only=True),
    Route("POST", "/admin/clients/list", _upsert_list, server_only=True),
    Route("GET", "/admin/connection-count", lambda _: success({"count": 0}), server_only=True),
    Route("DELETE", "/admin/clients/{id}/token", _revoke, server_only=True),
)
