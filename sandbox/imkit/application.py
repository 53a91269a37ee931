"""A request's way through the stand-in: is it clean, who calls, what is asked, do it.

Everything that fails does so as a `Refusal`, which becomes the answer in one place.
"""

from __future__ import annotations

import time

from .. import probes
from ..answers import Answer, Request
from ..bodies import BodyTooLarge
from ..paths import match
from . import clients, me, rooms, tokens
from .authentication import Keys, authenticate, complaint
from .call import Call, Route
from .envelope import Refusal, of_status
from .state import State

ROUTES = (*clients.ROUTES, *tokens.ROUTES, *me.ROUTES, *rooms.ROUTES)
TABLE = tuple((route, route.path.split("/")) for route in ROUTES)


class IMKitApplication:
    """The stand-in's side of one app: its keys and its state."""

    def __init__(self, keys: Keys, state: State) -> None:
        self._keys = keys
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
        head, now = request.head, time.time()
        wrong = complaint(head)
        if wrong is not None:
            raise Refusal("INVALID_REQUEST", wrong)

        client_id = authenticate(head, self._keys, self._state, now)
        probed = _probe(request)
        if probed is not None:
            return probed

        route, params = _find(request)
        if route.platform_only and client_id is not None:
            raise Refusal("PERMISSION_DENIED", "Only the platform may do this")

        return route.handler(Call(request, self._state, now, client_id, params))


def _probe(request: Request) -> Answer | None:
    try:
        return probes.respond(request, request.head.path)
    except probes.ProbeError as error:
        raise Refusal("INVALID_REQUEST", str(error)) from error


def _find(request: Request) -> tuple[Route, dict[str, str]]:
    """Return the route and its values; one slash at the end is let pass, as the vendor's does."""
    method = "GET" if request.head.method == "HEAD" else request.head.method
    segments = request.head.path.removesuffix("/").split("/")
    for route, parts in TABLE:
        params = match(parts, segments) if method == route.method else None
        if params is not None:
            return route, params

    raise Refusal("NOT_FOUND", "Not Found")
