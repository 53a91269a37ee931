"""Who calls: a server by its `X-API-Key`, a user by a Bearer token.

In January the key comes with every call, and a token beside it. Today one of the two is looked at:
the token where there is one.
"""

import re
from collections.abc import Collection
from typing import Any, Literal, NamedTuple

import jwt

from ..credentials import is_same, read_token
from ..wire import Head
from .errors import Thrown

BEARER = "Bearer "

Version = Literal["2026-01", "2.0"]
JANUARY: Version = "2026-01"
TODAY: Version = "2.0"

ISSUER = "chatsdk-api"
AUDIENCE = "chatsdk-client"
# The server looks an id up in a column of this type.
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Credentials(NamedTuple):
    """One app's id and keys, and the secrets that sign for it, newest first.

    Today `app_key` opens what is below `/api`, `api_key` what gives tokens out. In January the
    second opened all.
    """

    api_key: str
    jwt_secrets: tuple[str, ...]
    centrifugo_secrets: tuple[str, ...]
    app_id: str
    app_key: str
    version: Version


class Caller(NamedTuple):
    """Who calls; `user_id` is None for a server, `scopes` where they limit nothing."""

    user_id: str | None
    scopes: Collection[str] | None = None


class Known(NamedTuple):
    """The users and sessions that the server has."""

    users: Collection[str]
    sessions: Collection[str]


def key_problem(head: Head, expected: str) -> str | None:
    """Say what is wrong with the API key."""
    given = "".join(head.values("x-api-key"))
    if not given:
        return "Missing API key"

    return None if is_same(given, expected) else "Invalid API key"


def authenticate(head: Head, credentials: Credentials, known: Known, now: float) -> Caller:
    """Return who calls below `/api`. Raises Thrown 401."""
    if credentials.version == JANUARY:
        return _january(head, credentials, now)

    given = "".join(head.values("authorization"))
    if given.startswith(BEARER):
        return _today(given.removeprefix(BEARER), credentials, known, now)

    problem = key_problem(head, credentials.app_key)
    if problem is not None:
        raise Thrown(401, "Missing authorization" if problem.startswith("Missing") else problem)

    return Caller(None)


def _january(head: Head, credentials: Credentials, now: float) -> Caller:
    problem = key_problem(head, credentials.api_key)
    if problem is not None:
        raise Thrown(401, problem)

    if not head.values("authorization"):
        return Caller(None)

    given = "".join(head.values("authorization"))
    if not given.startswith(BEARER):
        raise Thrown(401, "Invalid token")

    claims = _claims(given.removeprefix(BEARER), credentials, now)
    if claims.get("app_id") != credentials.app_id:
        raise Thrown(401, "Token app mismatch")

    return Caller(claims["user_id"])


def _today(token: str, credentials: Credentials, known: Known, now: float) -> Caller:
    claims = _claims(token, credentials, now)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != ISSUER or AUDIENCE not in audiences:
        raise Thrown(401, "Invalid token")

    if claims.get("type") != "access":
        raise Thrown(401, "Invalid token type")

    if claims.get("app_id") != credentials.app_id or claims["user_id"] not in known.users:
        raise Thrown(401, "Token user not found")

    if "sid" in claims and claims["sid"] not in known.sessions:
        raise Thrown(401, "Token session not found")

    if "jti" in claims and not UUID.fullmatch(str(claims["jti"])):
        raise Thrown(401, "Invalid token")

    return Caller(claims["user_id"], claims.get("scopes", ()))


def _claims(token: str, credentials: Credentials, now: float) -> dict[str, Any]:
    """Return the claims of a token, if they are whole. Raises Thrown 401."""
    try:
        claims = read_token(token, credentials.jwt_secrets)
    except jwt.PyJWTError as error:
        raise Thrown(401, "Invalid token") from error

    user_id = claims.get("user_id")
    times = [claims.get("exp"), *(claims[name] for name in ("iat", "nbf") if name in claims)]
    if not isinstance(user_id, str) or not user_id or not all(map(_is_time, times)):
        raise Thrown(401, "Invalid token")

    if claims["exp"] <= now:
        raise Thrown(401, "Token expired")

    if claims.get("nbf", 0) > now:
        raise Thrown(401, "Invalid token")

    return claims


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
