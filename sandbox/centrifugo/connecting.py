"""What becomes of a client that connects with a token.

The rules are those of versions 5 and 6 for a token signed with HMAC, reduced to HS256. Codes from
3000 on end the connection, from 3500 on for good; lower ones are errors, after which a client
fetches another token and tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from ..credentials import read_token

# ChatSDK's own; a channel in a token must be in one of those that the server knows.
NAMESPACES = ("chat", "presence", "user", "workspace", "app")
DISCONNECTS = 3000
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

        if self.code >= DISCONNECTS:
            return {"disconnect": {"code": self.code, "reason": self.reason}}

        return {"error": {"code": self.code, "message": self.reason}}


UNKNOWN_CHANNEL = Outcome(102, "unknown channel")
EXPIRED = Outcome(109, "token expired")
INVALID = Outcome(3500, "invalid token")
BAD_REQUEST = Outcome(3501, "bad request")
DENIED = Outcome(3507, "permission denied")


@dataclass(frozen=True)
class ConnectionRules:
    """One server's configuration: any of the `secrets` may have signed.

    `audience` and `issuer` are looked at where they are set. `anonymous` allows tokens whose user
    is empty.
    """

    secrets: tuple[str, ...]
    audience: str | None = None
    issuer: str | None = None
    anonymous: bool = True
    namespaces: tuple[str, ...] = NAMESPACES

    def connect(self, token: str, now: float) -> Outcome:
        """Say what becomes of a client that brings this token at `now`, in epoch seconds."""
        if not token:
            return BAD_REQUEST

        try:
            claims = read_token(token, self.secrets)
        except jwt.PyJWTError:
            return INVALID

        # An absent claim and one that is null are the same there.
        claims = {name: value for name, value in claims.items() if value is not None}
        if not _is_well_formed(claims) or not self._is_meant(claims) or claims.get("channel"):
            return INVALID

        if not claims.get("nbf", now - 1) < now < claims.get("exp", now + 1):
            return EXPIRED

        return self._admit(claims, now)

    def _is_meant(self, claims: Mapping[str, Any]) -> bool:
        """Whether issuer and audience are those that are set; an empty one counts as not set."""
        audience = claims.get("aud", [])
        audiences = [audience] if isinstance(audience, str) else audience
        from_issuer = not self.issuer or claims.get("iss") == self.issuer
        return from_issuer and (not self.audience or self.audience in audiences)

    def _admit(self, claims: Mapping[str, Any], now: float) -> Outcome:
        channels = list(claims.get("subs") or claims.get("channels") or ())
        if not all(self._is_known(channel) for channel in channels):
            return UNKNOWN_CHANNEL

        user = claims.get("sub", "")
        if not user and not self.anonymous:
            return DENIED

        # The connection's own end wins over the token's; what is not positive means never.
        expires_at = claims.get("expire_at", claims.get("exp", 0))
        if 0 < expires_at <= now:
            return EXPIRED

        return Outcome(0, "connected", user, expires_at if expires_at > 0 else None)

    def _is_known(self, channel: str) -> bool:
        namespace, separator, _ = channel.partition(":")
        return not separator or namespace in self.namespaces


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < LIMIT


def _is_whole_number(value: Any) -> bool:
    return isinstance(value, int) and _is_number(value)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_objects(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(inner, dict) for inner in value.values())


SHAPES: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("sub", "iss", "jti", "channel", "b64info"), _is_text),
    **dict.fromkeys(("exp", "nbf", "iat"), _is_number),
    "aud": lambda value: _is_text(value) or _are_texts(value),
    "expire_at": _is_whole_number,
    "channels": _are_texts,
    "subs": _are_objects,
}


def _is_well_formed(claims: Mapping[str, Any]) -> bool:
    """Whether each claim that is looked at has its type; others are ignored."""
    return all(fits(claims[name]) for name, fits in SHAPES.items() if name in claims)
