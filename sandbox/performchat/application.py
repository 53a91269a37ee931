"""A request's way through the stand-in: is it clean, is it JSON, whose key is in it, answer."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ..answers import Answer, Request, json_answer
from ..bodies import BodyTooLarge, limited, read_json
from ..credentials import is_same
from ..leaks import complaint

BODY_LIMIT = 1024 * 1024
AGENTS = "/rest/v1/agents"
AGENT = {"id": "agent_abc", "name": "Support Agent", "active": True}


class PerformChatApplication:
    """One company's key."""

    def __init__(self, key_id: str, key_secret: str) -> None:
        self._key_id = key_id
        self._key_secret = key_secret

    def respond(self, request: Request) -> Answer:
        """Do what is asked; every other path than the agents' repeats the body without the key."""
        try:
            body = read_json(b"".join(limited(request, BODY_LIMIT)))
        except BodyTooLarge:
            return self.failure("413").at_once()
        except ValueError:
            return _refusal(400, "Unexpected end of JSON input")

        wrong = complaint(request.head, "authorization")
        if wrong is not None or request.head.values("content-type") != ["application/json"]:
            return _refusal(400, wrong or "Content-Type must be application/json, once")

        if not isinstance(body, dict) or not self._is_ours(body):
            return _refusal(401, "Invalid API credentials")

        if request.head.path == AGENTS:
            pagination = {"page": 1, "limit": 20, "total": 1, "total_pages": 1}
            return json_answer(200, {"data": [AGENT], "pagination": pagination})

        said = {name: value for name, value in body.items() if name not in ("keyId", "keySecret")}
        return json_answer(200, {"method": request.head.method, "body": said})

    def failure(self, kind: str) -> Answer:
        """Return an error for a status."""
        status = int(kind.partition("-")[0])
        known = status in frozenset(HTTPStatus)
        return _refusal(status, HTTPStatus(status).phrase if known else "Request failed")

    def _is_ours(self, body: dict[str, Any]) -> bool:
        key_id, secret = str(body.get("keyId")), str(body.get("keySecret"))
        return is_same(key_id, self._key_id) & is_same(secret, self._key_secret)


def _refusal(status: int, message: str) -> Answer:
    known = status in frozenset(HTTPStatus)
    error = HTTPStatus(status).phrase if known else "Error"
    return json_answer(status, {"statusCode": status, "message": message, "error": error})
