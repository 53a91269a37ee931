"""What is in a token: read, and made, as somebody with the secret would."""

import time
import uuid
from typing import Any

import jwt

from tests.canaries import CENTRIFUGO_SECRET, JWT_SECRET


def of(token: str, secret: str = JWT_SECRET) -> dict[str, Any]:
    """The claims of a token, its signature checked."""
    found: dict[str, Any] = jwt.decode(
        token, secret, algorithms=["HS256"], options={"verify_aud": False}
    )
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


def made_today(user: str, secret: str = JWT_SECRET, /, **changes: Any) -> str:
    """A token as today's server with the same secret makes it."""
    whole = {
        "type": "access",
        "sid": str(uuid.uuid4()),
        "jti": str(uuid.uuid4()),
        "sub": f"default:{user}",
        "iss": "chatsdk-api",
        "aud": "chatsdk-client",
        "nbf": int(time.time()),
    }
    return made(user, secret, **whole | changes)


def made_ws_today(user: str, /, **changes: Any) -> str:
    return made_today(user, CENTRIFUGO_SECRET, **{"type": None} | changes)


def made_ws(user: str, /, **changes: Any) -> str:
    return made(user, CENTRIFUGO_SECRET, **{"user_id": None, "sub": user} | changes)
