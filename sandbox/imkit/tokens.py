"""Tokens: bound to a client by the platform, made by the server, revoked.

A client may have several. A token is bound to one client until it is revoked, past its end too.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from ..answers import Answer
from .call import Call, Route
from .envelope import Refusal, success
from .fields import Field, epoch_of, flag, text, token
from .state import Document, State, iso, milliseconds

LIFE = 7 * 86_400
SIZE = 16
SIZE_MOST = 1024
BOUND = (Field("token", token), Field("expirationDate", text))
ASKED = (*BOUND, Field("issueAccessToken", flag))


@dataclass(frozen=True)
class Binding:
    """A token and its end, in epoch seconds."""

    token: str
    expires: float

    def shown(self) -> Document:
        """Return it as the server tells of it."""
        return {"token": self.token, "expirationDate": iso(self.expires)}


def binding_in(given: Document, now: float) -> Binding | None:
    """Return what a body asks to bind; None where it asks for nothing. Raises Refusal 400."""
    parts = [given[field.name] for field in BOUND if field.name in given]
    if given.get("issueAccessToken", False):
        if parts:
            raise Refusal("INVALID_BODY", "either issueAccessToken or a token, not both")

        return Binding(secrets.token_urlsafe(32), now + LIFE)

    return _whole(given, now) if parts else None


def bind(state: State, client_id: str, binding: Binding) -> None:
    """Make the token the client's, or move its end. Raises Refusal 409 where it is another's."""
    holder, _ = state.tokens.get(binding.token, (client_id, 0.0))
    if holder != client_id:
        raise Refusal("TOKEN_CONFLICT", "Token is bound to another client")

    state.tokens[binding.token] = (client_id, binding.expires)


def _whole(given: Document, now: float) -> Binding:
    for field in BOUND:
        if field.name not in given:
            raise Refusal("MISSING_PARAMETER", f"{field.name} is required")

    expires = epoch_of(given["expirationDate"])
    if expires is None or expires <= now:
        wanted = "an ISO 8601 date and time with its zone, in the future"
        raise Refusal("INVALID_BODY", f"expirationDate must be {wanted}")

    return Binding(given["token"], expires)


def _set(call: Call) -> Answer:
    binding = _whole(call.document(BOUND), call.now)
    with call.state.lock:
        client_id = call.known(call.params["id"])
        bind(call.state, client_id, binding)
        call.state.upsert(client_id, {}, call.now)
        ends = {"expirationDateMS": milliseconds(binding.expires)}
        told = {**call.state.shown(client_id), "client": client_id, **binding.shown(), **ends}
        return success(told)


def _revoke(call: Call) -> Answer:
    given = call.document(BOUND[:1])
    with call.state.lock:
        client_id = call.known(call.params["id"])
        held = [one for one, (holder, _) in call.state.tokens.items() if holder == client_id]
        if "token" in given and given["token"] not in held:
            raise Refusal("TOKEN_NOT_FOUND", "Specified token not found for this client")

        revoked = [given["token"]] if "token" in given else held
        for one in revoked:
            del call.state.tokens[one]

    which = "Token" if "token" in given else "All tokens"
    message = f"{which} revoked successfully"
    return success({"success": True, "message": message, "revokedTokens": len(revoked)})


def _random(call: Call) -> Answer:
    """Answer with a token that is bound to nobody yet."""
    return success({"token": secrets.token_hex(call.number("size", SIZE, SIZE_MOST))})


ROUTES = (
    Route("PUT", "/admin/clients/{id}/token", _set, platform_only=True),
    Route("DELETE", "/admin/clients/{id}/token", _revoke, platform_only=True),
    Route("GET", "/auths/token", _random, platform_only=True),
    # No document of the vendor has this one.
    Route("GET", "/auth/token", _random, platform_only=True),
)
