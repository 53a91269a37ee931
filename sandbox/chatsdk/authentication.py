"""Who calls: a server by its `X-API-Key`, a user by a Bearer token beside it."""

from typing import Any, NamedTuple

import jwt

from ..credentials import is_same, read_token
from ..wire import Head
from .errors import of_api

BEARER = "Bearer "


class Credentials(NamedTuple):
    """One app's id and key, and the secrets that sign for it, newest first."""

    api_key: str
    jwt_secrets: tuple[str, ...]
    centrifugo_secrets: tuple[str, ...]
    app_id: str


def key_problem(head: Head, credentials: Credentials) -> str | None:
    """Say what is wrong with the API key."""
    given = "".join(head.values("x-api-key"))
    if not given:
        return "Missing API key"

    return None if is_same(given, credentials.api_key) else "Invalid API key"


def authenticate(head: Head, credentials: Credentials, now: float) -> str | None:
    """Return the user who calls, None where a server does. Raises Refusal 401."""
    problem = key_problem(head, credentials)
    if problem is not None:
        raise of_api(401, problem)

    if not head.values("authorization"):
        return None

    given = "".join(head.values("authorization"))
    if not given.startswith(BEARER):
        raise of_api(401, "Invalid token")

    return _user_of(given.removeprefix(BEARER), credentials, now)


def _user_of(token: str, credentials: Credentials, now: float) -> str:
    """Return the user of a token whose claims are whole. Raises Refusal 401."""
    try:
        claims = read_token(token, credentials.jwt_secrets)
    except jwt.PyJWTError as error:
        raise of_api(401, "Invalid token") from error

    user_id = claims.get("user_id")
    times = [claims.get("exp"), *(claims[name] for name in ("iat", "nbf") if name in claims)]
    if not isinstance(user_id, str) or not user_id or not all(map(_is_time, times)):
        raise of_api(401, "Invalid token")

    if claims["exp"] <= now:
        raise of_api(401, "Token expired")

    if claims.get("nbf", 0) > now:
        raise of_api(401, "Invalid token")

    if claims.get("app_id") != credentials.app_id:
        raise of_api(401, "Token app mismatch")

    return user_id


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
