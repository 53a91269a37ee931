"""A request's way through the stand-in: who calls, what is asked, do it, answer."""

import time

from ..answers import Answer, Request
from ..application import Application
from . import clients, rooms
from .authentication import Keys, authenticate
from .call import Call
from .errors import IMKitError, of_status
from .state import State


class IMKitApplication(Application[Call]):
    """The stand-in's side of one app: its keys and its state."""

    def __init__(self, keys: Keys, state: State) -> None:
        super().__init__((*clients.ROUTES, *rooms.ROUTES))
        self._keys = keys
        self._state = state

    def reply(self, request: Request) -> Answer:
        """Check the credentials first; one slash at the path's end is let pass, as the vendor's."""
        head, now = request.head, time.time()
        client_id = authenticate(head, self._keys, self._state, now)
        found = self.routes.find(head.method, head.path.removesuffix("/"))
        if found is None:
            raise IMKitError("NOT_FOUND", "Not Found")

        if found.route.server_only and client_id is not None:
            raise IMKitError("PERMISSION_DENIED", "Only the platform may do this")

        return found.route.handler(Call(request, self._state, now, client_id, found.values))

    def error(self, status: int) -> Answer:
        """Return an error for a bare status."""
        return of_status(status)
