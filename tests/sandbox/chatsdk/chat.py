"""A client of ChatSDK's stand-in, and tokens of every kind."""

import json
import time
from typing import Any

import jwt

from sandbox.chatsdk import API_KEY, APP_ID, JWT_SECRET
from tests.sandbox.json_caller import JsonCaller

KEY = f"X-API-Key: {API_KEY}"
# Tokens are made when tests are collected, which may be long before they run.
DAY = 86_400
OTHER_SECRET = "another-secret-of-more-than-32-characters"


def claims(**changes: Any) -> dict[str, Any]:
    """The claims of ann's token; a change to None takes a claim out."""
    now = int(time.time())
    whole = {"user_id": "ann", "app_id": APP_ID, "iat": now, "exp": now + DAY, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def token(secret: str = JWT_SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), secret, algorithm)


def bearer(text: str) -> str:
    return f"Authorization: Bearer {text}"


class Chat(JsonCaller):
    """Sends what it is told to, with the right key unless there are other lines."""

    def call(self, method: str, target: str, document: Any = None, *lines: str) -> tuple[int, Any]:
        answer = self.see(method, target, document, *(lines or (KEY,)))
        return answer.status, json.loads(answer.body)

    def as_user(
        self, user_id: str, method: str, target: str, document: Any = None
    ) -> tuple[int, Any]:
        return self.call(method, target, document, KEY, bearer(token(user_id=user_id)))
