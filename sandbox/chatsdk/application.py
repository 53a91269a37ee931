"""A request's way through the stand-in: is it clean, who calls, what is asked, do it.

Everything that fails does so as a `Refusal`, which becomes the answer in one place.
"""

from __future__ import annotations

import time

from .. import probes
from ..answers import Answer, Request, json_answer
from ..bodies import BodyTooLarge
from ..leaks import complaint
from ..paths import match
from . import channels, tokens
from .authentication import Credentials, authenticate
from .call import Call, Route
from .errors import Refusal, of_api, of_status
from .state import State, iso

API = "/api"


def _health(call: Call) -> Answer:
    return json_answer(200, {"status": "ok", "timestamp": iso(call.now), "uptime": 1})


ROUTES = (Route("GET", "/health", _health), *tokens.ROUTES, *channels.ROUTES)
TABLE = tuple((route, route.path.split("/")) for route in ROUTES)


class ChatSDKApplication:
    """The stand-in's side of one app: its credentials and its state."""

    def __init__(self, credentials: Credentials, state: State) -> None:
        self._credentials = credentials
        self._state = state

    def respond(self, request: Request) -> Answer:
        """Do what is asked."""
        try:
            return self._do(request)
        except Refusal as refusal:
            return refusal.answer()
        except BodyTooLarge:
            return self.failure("413").at_once()

    def failure(self, kind: str) -> Answer:
        """Return an error for a status."""
        return of_status(int(kind.partition("-")[0]))

    def _do(self, request: Request) -> Answer:
        head, now, user_id = request.head, time.time(), None
        wrong = complaint(head, "x-api-key", "authorization")
        if wrong is not None:
            raise of_api(400, wrong)

        # A sidecar forwards /api/x to /api/x, so the probes are there as well.
        bare = head.path.removeprefix(API)
        if f"{head.path}/".startswith(f"{API}/") or bare.startswith(probes.PREFIX):
            user_id = authenticate(head, self._credentials, now)
            probed = _probe(request, bare)
            if probed is not None:
                return probed

        route, params = _find(request)
        return route.handler(Call(request, self._credentials, self._state, now, user_id, params))


def _probe(request: Request, path: str) -> Answer | None:
    try:
        return probes.respond(request, path)
    except probes.ProbeError as error:
        raise of_api(400, str(error)) from error


def _find(request: Request) -> tuple[Route, dict[str, str]]:
    method = "GET" if request.head.method == "HEAD" else request.head.method
    segments = request.head.path.split("/")
    for route, parts in TABLE:
        params = match(parts, segments) if method == route.method else None
        if params is not None:
            return route, params

    raise of_api(404, "Not Found")
