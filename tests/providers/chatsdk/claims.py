"""What is in a token: read, and made, as somebody with the secret would."""

import time
from typing import Any

import jwt

from tests.canaries import CENTRIFUGO_SECRET, JWT_SECRET


def of(token: str, secret: str = JWT_SECRET) -> dict[str, Any]:
    """The claims of a token, its signature checked."""
    found: dict[str, Any] = jwt.decode(token, secret, algorithms=["HS256"])
    return found


def of_ws(token: str) -> dict[str, Any]:
    return of(token, CENTRIFUGO_SECRET)


def made(user: str, secret: str = JWT_SECRET, /, **changes: Any) -> str:
    """A token as a ChatSDK server with the same secret makes it; None leaves a claim out."""
    now = int(time.time())
    claims = {"user_id": user, "app_id": "default", "iat": now, "exp": now + 36_000} | changes
    return jwt.encode(
        {name: value for name, value in claims.items() if value is not None}, secret, "HS256"
    )


def made_ws(user: str, /, **changes: Any) -> str:
    return made(user, CENTRIFUGO_SECRET, **{"user_id": None, "sub": user} | changes)
