"""The server API over HTTP: a route a method, and the old single one that names it in the body.

The key comes as `X-API-Key` or as `Authorization: apikey KEY`. A real server takes it in the query
too; here it is refused there, because it would end in somebody's log.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from .. import probes
from ..answers import Answer, Request, bytes_answer, json_answer
from ..bodies import BodyTooLarge, limited, read_json
from ..credentials import is_same
from ..leaks import complaint
from ..wire import Head
from .connecting import ConnectionRules

Document = dict[str, Any]

OLD_ROUTE = "/api"
CONNECT = f"{probes.PREFIX}connect"
BODY_LIMIT = 1024 * 1024
TEXT = (b"content-type", b"text/plain; charset=utf-8")
METHOD_NOT_FOUND: Document = {"error": {"code": 104, "message": "method not found"}}
BAD_REQUEST: Document = {"error": {"code": 107, "message": "bad request"}}
INFO: Document = {
    "nodes": [
        {
            "uid": "sandbox",
            "name": "sandbox",
            "version": "6.0.0",
            "num_clients": 0,
            "num_users": 0,
            "num_channels": 0,
            "uptime": 1,
            "num_subs": 0,
        }
    ]
}
PARAMETERS: dict[str, type] = {
    "user": str,
    "client": str,
    "session": str,
    "whitelist": list,
    "disconnect": dict,
}


class BadRequest(ValueError):
    """The body is not what the method takes; over HTTP that is a 400 without JSON."""


class CentrifugoApplication:
    """One server: its key, its rules for tokens, and whom it was told to disconnect."""

    def __init__(self, api_key: str, rules: ConnectionRules, disconnected: list[str]) -> None:
        self._api_key = api_key
        self._rules = rules
        self._disconnected = disconnected
        self._routes: dict[str, Callable[[Document], Document]] = {
            OLD_ROUTE: self._command,
            f"{OLD_ROUTE}/disconnect": self._disconnect,
            f"{OLD_ROUTE}/info": lambda _: {"result": INFO},
        }

    def respond(self, request: Request) -> Answer:
        """Do what is asked."""
        try:
            return self._do(request)
        except BodyTooLarge:
            return self.failure("413").at_once()
        except (BadRequest, probes.ProbeError) as error:
            return _text(400, str(error))

    def failure(self, kind: str) -> Answer:
        """Return the bare text that a real one answers with; 401 and 405 have none."""
        status = int(kind.partition("-")[0])
        if status in (401, 405):
            return Answer(status)

        return _text(status, HTTPStatus(status).phrase if status in _STATUSES else "Unassigned")

    def _do(self, request: Request) -> Answer:
        head = request.head
        wrong = complaint(head, "x-api-key", "authorization")
        if wrong is not None:
            raise BadRequest(wrong)

        is_post = head.method == "POST"
        if head.path == CONNECT:
            return self._connect(request) if is_post else self.failure("405")

        run = self._routes.get(head.path)
        if run is None and not head.path.startswith(probes.PREFIX):
            return self.failure("404")

        if not self._has_key(head):
            return self.failure("401")

        if run is None:
            return probes.respond(request, head.path) or self.failure("404")

        return json_answer(200, run(_object(request))) if is_post else self.failure("405")

    def _has_key(self, head: Head) -> bool:
        """Look at the first of the two headers that is there; the other does not make up for it."""
        given = "".join(head.values("x-api-key"))
        if not given:
            scheme, _, given = "".join(head.values("authorization")).partition(" ")
            if scheme.lower() != "apikey":
                return False

        return bool(given) and is_same(given.strip(), self._api_key)

    def _command(self, body: Document) -> Document:
        """Run what an old-style command names; what is wrong with it is told in the reply."""
        method, parameters = body.get("method"), body.get("params", {})
        run = self._routes.get(f"{OLD_ROUTE}/{method}".lower())
        reply = {"id": body["id"]} if body.get("id") else {}
        if run is None:
            return {**reply, **METHOD_NOT_FOUND}

        if not isinstance(parameters, dict):
            return {**reply, **BAD_REQUEST}

        try:
            return {**reply, **run(parameters)}
        except BadRequest:
            return {**reply, **BAD_REQUEST}

    def _disconnect(self, parameters: Document) -> Document:
        for name, kind in PARAMETERS.items():
            if not isinstance(parameters.get(name, kind()), kind):
                raise BadRequest(f"{name} is not of its type")

        if not parameters.get("user"):
            return BAD_REQUEST

        self._disconnected.append(parameters["user"])
        return {"result": {}}

    def _connect(self, request: Request) -> Answer:
        token = _object(request).get("token", "")
        if not isinstance(token, str):
            raise BadRequest("token is not a string")

        now = time.time()
        return json_answer(200, self._rules.connect(token, now).document(now))


_STATUSES = frozenset(HTTPStatus)


def _text(status: int, text: str) -> Answer:
    return bytes_answer(status, f"{text}\n".encode(), (TEXT,))


def _object(request: Request) -> Document:
    try:
        document = read_json(b"".join(limited(request, BODY_LIMIT)))
    except ValueError as error:
        raise BadRequest("the body is not JSON") from error

    if not isinstance(document, dict):
        raise BadRequest("the body is not an object")

    return document
