"""Who calls: one `api_key` in the query, one raw JWT in `Authorization`, `stream-auth-type: jwt`.

A token without `user_id` is a server's, one with it a user's. Times are checked here and not by
PyJWT, because the vendor has a code for each way to be out of time and allows no leeway.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import jwt

from ..credentials import is_same, read_token
from ..wire import Head
from . import errors
from .errors import StreamError

TIMES = (
    ("exp", errors.EXPIRED, "token is expired"),
    ("nbf", errors.NOT_YET_VALID, "token is not valid yet"),
    ("iat", errors.ISSUED_LATER, "token used before issue at"),
)


class Credentials(NamedTuple):
    """One app's key and the secrets that sign for it, newest first."""

    api_key: str
    secrets: tuple[str, ...]


@dataclass(frozen=True)
class Principal:
    """Who calls; `user_id` None is the customer's server. `issued_at` in epoch seconds."""

    user_id: str | None
    issued_at: int | None = None
    is_anonymous: bool = False

    @property
    def is_server(self) -> bool:
        """Whether it may do everything."""
        return self.user_id is None and not self.is_anonymous


def authenticate(
    head: Head, query: Sequence[tuple[str, str]], credentials: Credentials, now: datetime
) -> Principal:
    """Check a request's three credentials. Raises StreamError 2, 5 or 40 to 43."""
    _check_api_key([value for name, value in query if name == "api_key"], credentials.api_key)
    kind = _only(head.values("stream-auth-type"), "stream-auth-type")
    if kind == "anonymous":
        return Principal(None, is_anonymous=True)

    if kind != "jwt":
        raise StreamError(errors.AUTHENTICATION, "stream-auth-type missing or invalid")

    claims = _claims(_only(head.values("authorization"), "Authorization"), credentials)
    _check_times(claims, now.timestamp())
    user_id = claims.get("user_id")
    if user_id is not None and (not isinstance(user_id, str) or not user_id):
        raise StreamError(errors.AUTHENTICATION, "JWTAuth error: user_id is not a string")

    return Principal(user_id, claims.get("iat"))


def _check_api_key(given: list[str], api_key: str) -> None:
    if len(given) != 1:
        raise StreamError(errors.API_KEY, "api_key not provided, or more than once")

    if not is_same(given[0], api_key):
        raise StreamError(errors.API_KEY, "api_key not found")


def _only(values: list[str], name: str) -> str:
    if len(values) != 1 or not values[0]:
        raise StreamError(errors.AUTHENTICATION, f"{name} missing, invalid or given twice")

    return values[0]


def _claims(token: str, credentials: Credentials) -> dict[str, Any]:
    """Return the claims of a token that one of the secrets signed."""
    try:
        return read_token(token, credentials.secrets)
    except jwt.InvalidSignatureError as error:
        raise StreamError(
            errors.BAD_SIGNATURE,
            "JWTAuth error: signature is not valid. Make sure the token is created using the "
            f'secret for API key "{credentials.api_key}"',
        ) from error
    except jwt.PyJWTError as error:
        raise StreamError(errors.AUTHENTICATION, f"JWTAuth error: {error}") from error


def _check_times(claims: dict[str, Any], now: float) -> None:
    for name, code, message in TIMES:
        value = claims.get(name)
        if value is None:
            continue

        if isinstance(value, bool) or not isinstance(value, int):
            raise StreamError(errors.AUTHENTICATION, f"JWTAuth error: {name} is not of type int64")

        if (value <= now) if name == "exp" else (value > now):
            raise StreamError(code, f"JWTAuth error: {message} ({name})")


def check_not_revoked(principal: Principal, before: datetime | None) -> None:
    """Refuse a user token issued before that time; one without `iat` is older than all.

    Raises StreamError 40. Server tokens are never revoked this way.
    """
    if before is None or principal.user_id is None:
        return

    if principal.issued_at is None or principal.issued_at < before.timestamp():
        raise StreamError(errors.EXPIRED, "This token has been revoked, generate a new one")
