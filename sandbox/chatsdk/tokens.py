"""Giving both tokens out to the customer's server. Refreshing and checking are the sidecar's."""

from typing import Any

import jwt

from ..answers import Answer, Refusal, json_answer
from ..bodies import Field
from ..routing import Route
from .authentication import key_problem
from .call import Call
from .errors import of_body

LIFE = 86_400
USER = (
    Field("userId", str, required=True),
    *(Field(name, str) for name in ("name", "image", "email")),
    Field("custom", dict),
)


def _issue(call: Call) -> Answer:
    """Answer with what was sent, not with what is kept; the body is looked at before the key."""
    given = call.document(USER)
    if not given["userId"]:
        raise of_body("userId")

    problem = key_problem(call.request.head, call.credentials)
    if problem is not None:
        # Unlike all others this route has no code.
        raise Refusal(401, {"error": {"message": problem}})

    user = {name: given[name] for name in ("name", "image") if name in given}
    pair = _pair(call, given["userId"])
    return json_answer(200, {**pair, "user": {"id": given["userId"], **user}})


def _pair(call: Call, user_id: str) -> dict[str, Any]:
    keys, issued = call.credentials, int(call.now)
    claims = {"app_id": keys.app_id, "iat": issued, "exp": issued + LIFE}
    return {
        "token": _sign({"user_id": user_id, **claims}, keys.jwt_secrets[0]),
        "wsToken": _sign({"sub": user_id, **claims}, keys.centrifugo_secrets[0]),
        "expiresIn": LIFE,
    }


def _sign(claims: dict[str, Any], secret: str) -> str:
    # The vendor's tokens have no `typ`.
    return jwt.encode(claims, secret, "HS256", headers={"typ": None})


# Open, since it looks at the key itself, and at the body before that.
ROUTES = (Route("POST", "/tokens", _issue, is_open=True),)
