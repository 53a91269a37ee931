"""A request's way through the stand-in: who calls, what is asked, do it, answer."""

import time

from ..answers import Answer, Request, json_answer
from ..application import Application
from ..routing import Route
from ..times import iso
from . import channels, tokens
from .authentication import Credentials, authenticate
from .call import Call, State
from .errors import of_api, of_status


def _health(call: Call) -> Answer:
    return json_answer(200, {"status": "ok", "timestamp": iso(call.now), "uptime": 1})


HEALTH = Route("GET", "/health", _health, is_open=True)


class ChatSDKApplication(Application[Call]):
    """The stand-in's side of one app: its credentials and its state."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__((HEALTH, *tokens.ROUTES, *channels.ROUTES))
        self._credentials = credentials
        self._state = State()

    def reply(self, request: Request) -> Answer:
        """Check the credentials of whatever is not open; what does not exist is not."""
        head, now = request.head, time.time()
        found = self.routes.find(head.method, head.path)
        is_open = found is not None and found.route.is_open
        user_id = None if is_open else authenticate(head, self._credentials, now)
        if found is None:
            raise of_api(404, "Not Found")

        call = Call(request, self._credentials, self._state, now, user_id)
        return found.route.handler(call)

    def error(self, status: int) -> Answer:
        """Return an error for a bare status."""
        return of_status(status)
