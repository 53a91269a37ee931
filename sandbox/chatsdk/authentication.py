"""Who calls: a server by its `X-API-Key`, a user by a Bearer token beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import jwt

from ..credentials import is_same, read_token
from ..wire import Head
from .errors import of_api

BEARER = "Bearer "
# Before the year 10000: later moments could not be written down.
LATEST = 253_402_300_000


class TokenProblem(Exception):
    """A token that is not accepted, and why."""

    def __init__(self, kind: Literal["expired", "forged", "malformed"]) -> None:
        super().__init__(kind)
        self.kind = kind


@dataclass(frozen=True)
class Credentials:
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


def bearer(head: Head) -> str | None:
    """Return the token in `Authorization`; None where there is none."""
    given = "".join(head.values("authorization"))
    return given[len(BEARER) :] if given.startswith(BEARER) else None


def authenticate(head: Head, credentials: Credentials, now: float) -> str | None:
    """Return the user who calls, None where a server does. Raises Refusal 401."""
    problem = key_problem(head, credentials)
    if problem is not None:
        raise of_api(401, problem)

    if not head.values("authorization"):
        return None

    try:
        claims = claims_of(bearer(head) or "", credentials.jwt_secrets, "user_id", now)
    except TokenProblem as error:
        expired = error.kind == "expired"
        raise of_api(401, "Token expired" if expired else "Invalid token") from error

    if claims["app_id"] != credentials.app_id:
        raise of_api(401, "Token app mismatch")

    return str(claims["user_id"])


def claims_of(
    token: str, secrets: Sequence[str], user_claim: str, now: float, grace: int = 0
) -> dict[str, Any]:
    """Return a token's claims: its user, its app, its end. Raises TokenProblem.

    An end up to `grace` seconds ago is let pass.
    """
    try:
        claims = read_token(token, secrets)
    except jwt.InvalidSignatureError as error:
        raise TokenProblem("forged") from error
    except jwt.PyJWTError as error:
        raise TokenProblem("malformed") from error

    texts, times = (user_claim, "app_id"), {"exp", *({"iat", "nbf"} & claims.keys())}
    if not all(_is_name(claims.get(name)) for name in texts):
        raise TokenProblem("malformed")

    if not all(_is_time(claims.get(name)) for name in times):
        raise TokenProblem("malformed")

    second = math.floor(now)
    if claims["exp"] <= second - grace:
        raise TokenProblem("expired")

    if claims.get("nbf", 0) > second + grace:
        raise TokenProblem("malformed")

    return claims


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _is_time(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and 0 <= value < LATEST
