"""What becomes of a client that connects with a token.

The rules are those of versions 5 and 6 for a token signed with HMAC, reduced to HS256 and to
tokens without subscriptions. A disconnect is for good; after an error a client fetches another
token and tries again.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import jwt

from ..credentials import read_token

Document = dict[str, Any]

# No time is as large; what is not a number is not below it either.
LIMIT = 2**53


EXPIRED: Document = {"error": {"code": 109, "message": "token expired"}}
INVALID: Document = {"disconnect": {"code": 3500, "reason": "invalid token"}}
BAD_REQUEST: Document = {"disconnect": {"code": 3501, "reason": "bad request"}}


class Parties(NamedTuple):
    """Who must have made a token, and for whom: the settings that are off where they are empty."""

    issuer: str = ""
    audience: str = ""


ANYBODY = Parties()


def connect(token: str, secrets: Sequence[str], now: float, parties: Parties = ANYBODY) -> Document:
    """Say, as the client protocol does, what becomes of a client with this token at `now`."""
    if not token:
        return BAD_REQUEST

    try:
        claims = read_token(token, secrets)
    except jwt.PyJWTError:
        return INVALID

    # An absent claim and one that is null are the same there.
    claims = {name: value for name, value in claims.items() if value is not None}
    if not all(fits(claims[name]) for name, fits in SHAPES.items() if name in claims):
        return INVALID

    if parties.issuer and claims.get("iss") != parties.issuer:
        return INVALID

    if parties.audience and parties.audience not in _list(claims.get("aud", [])):
        return INVALID

    if not claims.get("nbf", now - 1) < now < claims.get("exp", now + 1):
        return EXPIRED

    expiry = {"ttl": int(claims["exp"] - now)} if "exp" in claims else {}
    return {"connect": {"user": claims.get("sub", ""), "expires": "exp" in claims, **expiry}}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _are_texts(value: Any) -> bool:
    return all(isinstance(one, str) for one in _list(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LIMIT


# Claims that are looked at; others are ignored.
SHAPES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("sub", "iss", "jti", "b64info"), lambda value: isinstance(value, str)),
    **dict.fromkeys(("exp", "nbf", "iat"), _is_number),
    "aud": _are_texts,
    # A token with a channel is one for a subscription, which does not open a connection.
    "channel": lambda value: value == "",
}
