"""A request's way through the stand-in: is it JSON, whose key is in it, answer."""

from typing import Any, NamedTuple

from ..answers import Answer, Refusal, Request, json_answer, phrase
from ..application import Application
from ..bodies import read_json, small
from ..credentials import is_same
from ..routing import Route

AGENT = {"id": "agent_abc", "name": "Support Agent", "active": True}


class Call(NamedTuple):
    """One call with the right key; `said` is the body without it."""

    request: Request
    said: dict[str, Any]


def _agents(call: Call) -> Answer:
    return json_answer(200, {"data": [AGENT], "pagination": {"page": 1, "total": 1}})


def _repeat(call: Call) -> Answer:
    return json_answer(200, {"method": call.request.head.method, "body": call.said})


class PerformChatApplication(Application[Call]):
    """One company's key, which the vendor wants in the body of every call."""

    def __init__(self, key_id: str, key_secret: str) -> None:
        super().__init__((Route("*", "/rest/v1/agents", _agents),))
        self._key_id = key_id
        self._key_secret = key_secret

    def reply(self, request: Request) -> Answer:
        """Do what is asked; every other path than the agents' repeats the body without the key."""
        try:
            body = read_json(small(request))
        except ValueError as error:
            raise _refusal(400, "Unexpected end of JSON input") from error

        if request.head.values("content-type") != ["application/json"]:
            raise _refusal(400, "Content-Type must be application/json, once")

        if not isinstance(body, dict) or not self._is_ours(body):
            raise _refusal(401, "Invalid API credentials")

        said = {name: value for name, value in body.items() if name not in ("keyId", "keySecret")}
        found = self.routes.find(request.head.method, request.head.path)
        handler = found.route.handler if found else _repeat
        return handler(Call(request, said))

    def error(self, status: int) -> Answer:
        """Return an error for a bare status."""
        return _refusal(status, phrase(status, "Request failed")).answer()

    def _is_ours(self, body: dict[str, Any]) -> bool:
        key_id, secret = str(body.get("keyId")), str(body.get("keySecret"))
        return is_same(key_id, self._key_id) & is_same(secret, self._key_secret)


def _refusal(status: int, message: str) -> Refusal:
    error = phrase(status, "Error")
    return Refusal(status, {"statusCode": status, "message": message, "error": error})
