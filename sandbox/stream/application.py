"""A request's way through the stand-in: who calls, what is asked, do it, answer."""

from urllib.parse import parse_qsl

from ..answers import Answer, Request, json_answer
from ..application import Application
from . import (
    app,
    channel_types,
    channels,
    files,
    grants,
    members,
    messages,
    moderation,
    reactions,
    roles,
    users,
)
from .authentication import Credentials, authenticate, check_not_revoked
from .call import V2, Call
from .errors import AUTHENTICATION, NO_TIME, NOT_ALLOWED, NOT_FOUND, StreamError, of_status
from .limits import headers, quota
from .state import REVOCATION, State, now

TABLES = (
    *(users, roles, moderation, app, channel_types, channels, members, messages, reactions),
    *(files, grants),
)


class StreamApplication(Application[Call]):
    """The stand-in's side of one app: its credentials and its state."""

    def __init__(self, credentials: Credentials) -> None:
        super().__init__(route for table in TABLES for route in table.ROUTES)
        self.state = State(
            app=app.initial(),
            channel_types=channel_types.built_in(),
            roles=roles.built_in(),
            secret=credentials.secrets[0],
        )
        self._credentials = credentials

    def respond(self, request: Request) -> Answer:
        """Do what is asked; every answer tells the quota."""
        return super().respond(request).with_headers(*headers(quota()))

    def reply(self, request: Request) -> Answer:
        """Check the credentials before anything else, as the vendor does."""
        head = request.head
        query = parse_qsl(head.target.partition("?")[2], keep_blank_values=True)
        principal = authenticate(head, query, self._credentials, now())
        with self.state.lock:
            user = self.state.users.get(principal.user_id or "", {})
            check_not_revoked(principal, user.get(REVOCATION))
            check_not_revoked(principal, self.state.app.get(REVOCATION))

        found = self.routes.find(head.method, head.path)
        if found is None:
            raise StreamError(NOT_FOUND, f"url not found: {head.path}")

        # Who has no token may become a guest, and nothing else.
        if principal.is_anonymous and not found.route.is_open:
            raise StreamError(AUTHENTICATION, "stream-auth-type missing or invalid")

        if found.route.server_only and not principal.is_server:
            raise StreamError(NOT_ALLOWED, "only allowed with server side auth")

        version = 2 if head.path.startswith(V2) else 1
        return found.route.handler(
            Call(request, self.state, version, principal, found.values, dict(query))
        )

    def error(self, status: int) -> Answer:
        """Return the envelope of an error; below 400 there is none to tell."""
        return of_status(status) if status >= 400 else json_answer(status, {"duration": NO_TIME})

    def failure(self, status: int) -> Answer:
        """Return an error with the quota, of which 429 says that nothing is left."""
        told = quota(remaining=0) if status == 429 else quota()
        return self.error(status).with_headers(*headers(told))
