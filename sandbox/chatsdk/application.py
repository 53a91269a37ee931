"""A request's way through the stand-in: who calls, what is asked, do it, answer."""

import time

from ..answers import Answer, Request, json_answer
from ..application import Application
from ..routing import Route
from ..times import iso
from . import channels, tokens, users
from .authentication import JANUARY, Caller, Credentials, Known, authenticate
from .call import Call, State
from .errors import Thrown, of_api, of_status


def _health(call: Call) -> Answer:
    return json_answer(200, {"status": "ok", "timestamp": iso(call.now), "uptime": 1})


HEALTH = Route("GET", "/health", _health, is_open=True)


class ChatSDKApplication(Application[Call]):
    """The stand-in's side of one app: its credentials and its state."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__((HEALTH, *tokens.ROUTES, *users.ROUTES, *channels.ROUTES))
        self._credentials = credentials
        self.state = State()

    def reply(self, request: Request) -> Answer:
        """Check the credentials of whatever is not open; what does not exist is not."""
        try:
            return self._reply(request)
        except Thrown as thrown:
            raise thrown.refusal(is_january=self._credentials.version == JANUARY) from thrown

    def _reply(self, request: Request) -> Answer:
        head, now = request.head, time.time()
        known = Known(self.state.users, self.state.sessions)
        found = self.routes.find(head.method, head.path)
        is_open = found is not None and found.route.is_open
        who = Caller(None) if is_open else authenticate(head, self._credentials, known, now)
        if found is None:
            raise of_api(404, "Not Found")

        call = Call(request, self._credentials, self.state, now, who)
        return found.route.handler(call)

    def error(self, status: int) -> Answer:
        """Return an error for a bare status."""
        return of_status(status)
