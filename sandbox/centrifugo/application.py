"""The server API over HTTP, as far as a sidecar uses it: `disconnect` and `info`.

The key comes as `X-API-Key` or as `Authorization: apikey KEY`. A real server takes it in the query
too; here it is refused there, because it would end in somebody's log.
"""

import time
from typing import Any

from ..answers import Answer, Refusal, Request, bytes_answer, json_answer, phrase
from ..application import Application
from ..bodies import read_json, small
from ..credentials import is_same
from ..routing import Route
from ..wire import Head
from .connecting import Parties, connect

Document = dict[str, Any]

TEXT = (b"content-type", b"text/plain; charset=utf-8")
BAD_REQUEST: Document = {"error": {"code": 107, "message": "bad request"}}
NODE: Document = {"uid": "sandbox", "name": "sandbox", "version": "6.0.0", "num_clients": 0}


class BareRefusal(Refusal):
    """What is wrong with the HTTP itself: a status and a line of text, no JSON."""

    def answer(self) -> Answer:
        """Return it as an answer; 401 has no body at all."""
        if self.status == 401:
            return Answer(401)

        return bytes_answer(self.status, f"{self.document['text']}\n".encode(), (TEXT,))


class CentrifugoApplication(Application[Request]):
    """One server: its key, the secrets of its tokens, and whom it was told to disconnect."""

    def __init__(
        self, api_key: str, secrets: tuple[str, ...], parties: Parties, disconnected: list[str]
    ) -> None:
        self._api_key = api_key
        self._secrets = secrets
        self._parties = parties
        self._disconnected = disconnected
        super().__init__(
            (
                Route("POST", "/_sandbox/connect", self._connect, is_open=True),
                Route("POST", "/api/disconnect", self._disconnect),
                Route("POST", "/api/info", _info),
            )
        )

    def reply(self, request: Request) -> Answer:
        """Check the key of all but the connecting, which is a client's."""
        found = self.routes.find(request.head.method, request.head.path)
        if found is None:
            raise _bare(404)

        if not found.route.is_open and not self._has_key(request.head):
            raise _bare(401)

        return found.route.handler(request)

    def error(self, status: int) -> Answer:
        """Return the bare text that a real one answers with."""
        return _bare(status).answer()

    def _has_key(self, head: Head) -> bool:
        """Look at the first of the two headers that is there; the other does not make up for it."""
        given = "".join(head.values("x-api-key"))
        if not given:
            scheme, _, given = "".join(head.values("authorization")).partition(" ")
            if scheme.lower() != "apikey":
                return False

        return bool(given) and is_same(given.strip(), self._api_key)

    def _disconnect(self, request: Request) -> Answer:
        user = _object(request).get("user", "")
        if not isinstance(user, str):
            raise _bare(400, "user is not a string")

        if not user:
            return json_answer(200, BAD_REQUEST)

        self._disconnected.append(user)
        return json_answer(200, {"result": {}})

    def _connect(self, request: Request) -> Answer:
        token = _object(request).get("token", "")
        if not isinstance(token, str):
            raise _bare(400, "token is not a string")

        return json_answer(200, connect(token, self._secrets, time.time(), self._parties))


def _info(request: Request) -> Answer:
    return json_answer(200, {"result": {"nodes": [NODE]}})


def _bare(status: int, text: str = "") -> BareRefusal:
    return BareRefusal(status, {"text": text or phrase(status, "Unassigned")})


def _object(request: Request) -> Document:
    try:
        document = read_json(small(request))
    except ValueError as error:
        raise _bare(400, "the body is not JSON") from error

    if not isinstance(document, dict):
        raise _bare(400, "the body is not an object")

    return document
