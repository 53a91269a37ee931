"""Callers of IMKit's stand-in: the platform, and clients with a token of theirs."""

import json
import time
from datetime import UTC, datetime
from typing import Any

from sandbox.imkit import API_KEY, CLIENT_KEY
from tests.sandbox.json_caller import JsonCaller
from tests.wire import RawAnswer

PLATFORM = f"IM-API-KEY: {API_KEY}"
APP = f"IM-Client-Key: {CLIENT_KEY}"
JSON = "Content-Type: application/json; charset=utf-8"
NOBODY = "X-None: "
DAY = 86_400


def iso(seconds: float) -> str:
    """A moment so many seconds from now."""
    return datetime.fromtimestamp(time.time() + seconds, UTC).isoformat()


def token(text: str) -> str:
    return f"IM-Authorization: {text}"


def named(client_id: str) -> str:
    return f"IM-CLIENT-ID: {client_id}"


class Caller(JsonCaller):
    """Sends what it is told to, as the platform unless there are other lines."""

    content_type = JSON

    def done(self, method: str, target: str, document: Any = None, *lines: str) -> Any:
        """The result of what must succeed, its envelope whole."""
        answer = self.see(method, target, document, *(lines or (PLATFORM,)))
        told = json.loads(answer.body)
        assert (answer.status, told["RC"], told["RM"]) == (200, 0, "OK"), told
        assert told.keys() == {"RC", "RM", "result"}
        return told["result"]

    def refused(
        self, method: str, target: str, document: Any = None, *lines: str
    ) -> tuple[int, str]:
        """Status and code of what must fail, its envelope whole."""
        answer = self.see(method, target, document, *(lines or (PLATFORM,)))
        return refusal(answer)

    def client(self, client_id: str, text: str | None = None) -> tuple[str, str]:
        """Make a client with a token; returns the lines that it calls with."""
        text = text or f"token-of-{client_id}"
        bound = {"_id": client_id, "token": text, "expirationDate": iso(DAY)}
        self.done("POST", "/admin/clients", bound)
        return APP, token(text)


def refusal(answer: RawAnswer) -> tuple[int, str]:
    told = json.loads(answer.body)
    assert told == {
        "RC": answer.status,
        "RM": told["error"]["message"],
        "error": {"code": told["error"]["code"], "message": told["RM"]},
    }
    assert told["RM"]
    return answer.status, told["error"]["code"]
