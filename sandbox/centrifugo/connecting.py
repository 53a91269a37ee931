"""What becomes of a client that connects with a token.

The rules are those of versions 5 and 6 for a token signed with HMAC, reduced to HS256 and to
tokens without subscriptions. Codes from 3500 on end the connection for good; lower ones are errors,
after which a client fetches another token and tries again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from ..credentials import read_token

FOR_GOOD = 3500
# No time is as large; what is not a number is not below it either.
LIMIT = 2**53


@dataclass(frozen=True)
class Outcome:
    """Code 0 is a connection of `user` that ends at `expires_at`, or never where that is None."""

    code: int
    reason: str
    user: str | None = None
    expires_at: float | None = None

    def document(self, now: float) -> dict[str, Any]:
        """Return it in the form of the client protocol."""
        if not self.code:
            expiry = {} if self.expires_at is None else {"ttl": int(self.expires_at - now)}
            connected = {"user": self.user, "expires": self.expires_at is not None, **expiry}
            return {"connect": connected}

        if self.code >= FOR_GOOD:
            return {"disconnect": {"code": self.code, "reason": self.reason}}

        return {"error": {"code": self.code, "message": self.reason}}


EXPIRED = Outcome(109, "token expired")
INVALID = Outcome(3500, "invalid token")
BAD_REQUEST = Outcome(3501, "bad request")


def connect(token: str, secrets: Sequence[str], now: float) -> Outcome:
    """Say what becomes of a client that brings this token at `now`, in epoch seconds."""
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

    if not claims.get("nbf", now - 1) < now < claims.get("exp", now + 1):
        return EXPIRED

    return Outcome(0, "connected", claims.get("sub", ""), claims.get("exp"))


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LIMIT


# Claims that are looked at; others are ignored.
SHAPES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("sub", "iss", "jti", "b64info"), _is_text),
    **dict.fromkeys(("exp", "nbf", "iat"), _is_number),
    # A token with a channel is one for a subscription, which does not open a connection.
    "channel": lambda value: value == "",
}
