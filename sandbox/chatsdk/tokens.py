"""Giving tokens out to the customer's server. Refreshing and checking are the sidecar's."""

import uuid
from typing import Any

import jwt

from ..answers import Answer, Refusal, json_answer
from ..routing import Route
from .authentication import AUDIENCE, ISSUER, JANUARY, key_problem
from .call import Call
from .errors import of_body
from .users import USER

Claims = dict[str, Any]

LIFE = 86_400
LIFE_TODAY = 900


def _issue(call: Call) -> Answer:
    """Answer with what was sent, not with what is kept; the body is looked at before the key."""
    given = call.document(USER)
    if not given["userId"]:
        raise of_body("userId")

    problem = key_problem(call.request.head, call.credentials.api_key)
    if problem is not None:
        # Unlike all others this route has no code.
        raise Refusal(401, {"error": {"message": problem}})

    make = _january if call.credentials.version == JANUARY else _today
    with call.state.lock:
        call.state.users.add(given["userId"])
        made = make(call, given["userId"])

    user = {name: given[name] for name in ("name", "image") if name in given}
    return json_answer(200, {**made, "user": {"id": given["userId"], **user}})


def _january(call: Call, user_id: str) -> Claims:
    keys = call.credentials
    claims = {"app_id": keys.app_id, **_times(call, LIFE)}
    return {
        "token": _sign({"user_id": user_id, **claims}, keys.jwt_secrets[0]),
        "wsToken": _sign({"sub": user_id, **claims}, keys.centrifugo_secrets[0]),
        "expiresIn": LIFE,
    }


def _today(call: Call, user_id: str) -> Claims:
    keys, session = call.credentials, str(uuid.uuid4())
    call.state.sessions.add(session)
    whole = {
        "user_id": user_id,
        "app_id": keys.app_id,
        "sid": session,
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": f"{keys.app_id}:{user_id}",
    }
    short, long = _times(call, LIFE_TODAY), _times(call, LIFE)
    return {
        "token": _signed({"type": "access", **whole, **short}, keys.jwt_secrets[0]),
        "refreshToken": _signed({"type": "refresh", **whole, **long}, keys.jwt_secrets[0]),
        "wsToken": _signed({**whole, **short}, keys.centrifugo_secrets[0]),
        "expiresIn": LIFE_TODAY,
    }


def _times(call: Call, life: int) -> Claims:
    return {"iat": int(call.now), "exp": int(call.now) + life}


def _signed(claims: Claims, secret: str) -> str:
    return _sign({"jti": str(uuid.uuid4()), "nbf": claims["iat"], **claims}, secret)


def _sign(claims: Claims, secret: str) -> str:
    # The vendor's tokens have no `typ`.
    return jwt.encode(claims, secret, "HS256", headers={"typ": None})


# Open, since it looks at the key itself, and at the body before that.
ROUTES = (Route("POST", "/tokens", _issue, is_open=True),)
