"""Both tokens: given out to servers, refreshed and checked for who has one."""

from __future__ import annotations

from typing import Any

import jwt

from ..answers import Answer, json_answer
from .authentication import TokenProblem, bearer, claims_of, key_problem
from .call import Call, Route
from .errors import of_check, of_tokens
from .state import Document, iso
from .validation import Field, email, mapping, text, url

LIFE = 86_400
GRACE = 86_400
USER = (
    Field("userId", text(least=1), required=True),
    Field("name", text()),
    Field("image", url),
    Field("custom", mapping),
    Field("email", email),
)
HINT = "Ask your backend for new tokens; REST takes token, the WebSocket takes wsToken"
REST_WORDS = {
    "expired": "Token expired",
    "forged": "Invalid token signature",
    "malformed": "Invalid token",
}
WEBSOCKET_WORDS = {
    "expired": "WebSocket token expired",
    "forged": "Invalid WebSocket token",
    "malformed": "Invalid WebSocket token",
}


def _issue(call: Call) -> Answer:
    """Answer with what was sent, not with what is kept; the body is looked at before the key."""
    given = call.document(USER)
    problem = key_problem(call.head, call.credentials)
    if problem is not None:
        raise of_tokens(401, problem)

    with call.state.lock:
        call.state.upsert(given)

    user = {name: given[name] for name in ("name", "image") if name in given}
    pair = _pair(call, given["userId"], call.credentials.app_id)
    return json_answer(200, {**pair, "user": {"id": given["userId"], **user}})


def _refresh(call: Call) -> Answer:
    token = bearer(call.head)
    if token is None:
        raise of_tokens(401, "Missing token")

    try:
        claims = claims_of(token, call.credentials.jwt_secrets, "user_id", call.now, GRACE)
    except TokenProblem as error:
        raise of_tokens(401, "Invalid token") from error

    return json_answer(200, _pair(call, claims["user_id"], claims["app_id"]))


def _validate(call: Call) -> Answer:
    claims = _checked(call, call.credentials.jwt_secrets, "user_id", REST_WORDS)
    with call.state.lock:
        known = claims["user_id"] in call.state.users
        user = call.state.shown(claims["user_id"]) if known else None

    return json_answer(200, {**_valid(claims, "user_id"), "user": user})


def _validate_ws(call: Call) -> Answer:
    claims = _checked(call, call.credentials.centrifugo_secrets, "sub", WEBSOCKET_WORDS)
    return json_answer(200, _valid(claims, "sub"))


def _pair(call: Call, user_id: str, app_id: str) -> Document:
    issued = int(call.now)
    claims = {"app_id": app_id, "iat": issued, "exp": issued + LIFE}
    return {
        "token": _sign({"user_id": user_id, **claims}, call.credentials.jwt_secrets[0]),
        "wsToken": _sign({"sub": user_id, **claims}, call.credentials.centrifugo_secrets[0]),
        "expiresIn": LIFE,
    }


def _sign(claims: Document, secret: str) -> str:
    # The vendor's tokens have no `typ`.
    return jwt.encode(claims, secret, "HS256", headers={"typ": None})


def _checked(
    call: Call, secrets: tuple[str, ...], user_claim: str, words: dict[str, str]
) -> dict[str, Any]:
    token = bearer(call.head)
    if token is None:
        raise of_check("Missing token", "Send it as Authorization: Bearer <token>")

    try:
        return claims_of(token, secrets, user_claim, call.now)
    except TokenProblem as error:
        raise of_check(words[error.kind], HINT) from error


def _valid(claims: Document, user_claim: str) -> Document:
    payload = {
        "userId": claims[user_claim],
        "appId": claims["app_id"],
        "issuedAt": iso(claims["iat"]) if claims.get("iat") else None,
        "expiresAt": iso(claims["exp"]),
    }
    return {"valid": True, "payload": payload}


ROUTES = (
    Route("POST", "/tokens", _issue),
    Route("POST", "/tokens/refresh", _refresh),
    Route("GET", "/tokens/validate", _validate),
    Route("GET", "/tokens/validate-ws", _validate_ws),
)
