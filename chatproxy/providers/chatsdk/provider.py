"""One ChatSDK application and its server."""

import dataclasses
import json
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from chatproxy.errors import NotServed
from chatproxy.formats.objects import without_none
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.identity.token_records import Issued
from chatproxy.providers.base import Dialect, Provider, Server, Verdict
from chatproxy.providers.chatsdk import errors, issuing
from chatproxy.providers.chatsdk.centrifugo import Centrifugo
from chatproxy.providers.chatsdk.settings import JANUARY, ChatSDKSettings
from chatproxy.providers.chatsdk.tokens import TokenPairs
from chatproxy.providers.issuing import Inspection, Minted, Wanted
from chatproxy.providers.people import Ended, Given, Person, Reach

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory

#: What a server of 2.0 lets nobody in for but the primary key: the routes that give tokens out.
PRIMARY = ("/tokens", "/api/auth")
#: In the message of a refusal, whatever its status: January's server answers 500 to a bad key.
BAD_KEY = "API key"
#: In that of a good key alone, at a route that is for a user.
NO_USER = "User authentication required"


class ChatSDK(Provider):
    """The settings of one ChatSDK application, and the calls to its server."""

    name = "chatsdk"
    needed = "CHATSDK_BASE_URL and CHATSDK_API_KEY"

    def __init__(self, settings: ChatSDKSettings) -> None:
        self.is_january = settings.api_version == JANUARY
        app_key = None if self.is_january else settings.app_key
        self._primary_key = settings.api_key or app_key
        self._app_key = app_key or settings.api_key
        self._is_checked = self.is_january or app_key is not None
        self.base_url = settings.base_url if self._primary_key else None
        self.allowed_origins = settings.allowed_origins
        self.refresh_grace = settings.refresh_grace
        self.tokens = TokenPairs(settings)
        self.centrifugo = Centrifugo(settings)
        self._ws_url = settings.ws_url
        self.no_websocket = partial(NotServed, _no_websocket(settings.ws_url))
        self.dialect = Dialect(errors.api_envelope, self.no_websocket)
        self.dialects = {
            "/tokens": Dialect(errors.token_envelope, self.no_websocket),
            "/tokens/validate": Dialect(errors.validation_envelope, self.no_websocket),
            "/tokens/validate-ws": Dialect(errors.validation_envelope, self.no_websocket),
            "/api": self.dialect,
            "/api/auth/connect": Dialect(errors.connect_envelope, self.no_websocket),
            "/api/auth/refresh": Dialect(errors.refresh_envelope, self.no_websocket),
            "/ws": self.dialect,
        }

    def authorise(self) -> Credentials:
        """Return the key. The caller's `Authorization` stays, because it names the user."""
        return self._credentials(self._app_key)

    def credentials_for(self, path: str) -> Credentials:
        """Return the key that the server takes at a path. One alone has to serve everywhere."""
        needs_primary = any(path == one or path.startswith(f"{one}/") for one in PRIMARY)
        return self._credentials(self._primary_key if needs_primary else self._app_key)

    def credentials_of_user(self, bearer: str) -> Credentials:
        """Return what goes out for a user, whose token was checked here."""
        # January's server wants its key with every call. Today's wants none, and without one no
        # call of a user can be taken for one of the app, whatever the path is read as.
        ours = self.authorise()
        headers = ours.headers if self.is_january else ()
        return dataclasses.replace(ours, headers=headers).beside(
            [("Authorization", f"Bearer {bearer}")]
        )

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Return what an answer says about our key."""
        # The key and the user's token are refused with the same status: 401, and 500 by January's
        # server. Only the message tells them apart, and that of a forwarded call is the caller's.
        if content is None:
            return "unknown"

        # Today's server takes the primary key nowhere below /api, where the check asks.
        if BAD_KEY in (message := _message_in(content)):
            return "refused" if self._is_checked else "unknown"

        return "accepted" if status < 300 or NO_USER in message else "unknown"

    def check(self) -> Call:
        """Ask for no users, with the key alone: a call that changes nothing and shows nobody.

        January's server answers 200 to a good key, today's a 401 for the missing user.
        """
        return Call.own("GET", "/api/users?limit=0", headers=self.authorise().headers)

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong with the answer to `check`, or an empty text."""
        if self.verdict(status, content) == "refused":
            return "refuses the API key."

        is_answered = status < 300 or any(one in _message_in(content) for one in (NO_USER, BAD_KEY))
        return "" if is_answered else f"answered {status}."

    def read_user_token(self, token: str, now: float) -> Issued:
        """Read a `token`, not a `wsToken`; raise a `TokenRejected`."""
        return self.tokens.rest.read(token, now)

    def mint(self, wanted: Wanted, directory: "Directory | None", now: float) -> Minted:
        """Make both tokens, and the user where there is none."""
        assert directory is not None  # noqa: S101 - it knows users
        return issuing.mint(self.tokens, wanted, directory, now)

    def inspect(self, token: str, directory: "Directory | None", now: float) -> Inspection | None:
        """Return what is known of a token of either kind."""
        assert directory is not None  # noqa: S101
        return issuing.inspect(self.tokens, token, directory, now)

    def give(self, person: Person, reach: Reach) -> Given:
        """Make both tokens, and make or change the user."""
        person.known_in(reach.directory, self.app)
        made = self.mint(Wanted(person.user_id), reach.directory, reach.now)
        connect = without_none({"appId": self.app, "wsUrl": self._ws_url, "path": "/api"})
        return Given(made.texts, made.expires, connect)

    def end_user(self, user_id: str, app: str, reach: Reach, *, even_unused: bool = False) -> Ended:
        """End all tokens of a user, then its connections at Centrifugo, where there is one."""
        ended = super().end_user(user_id, app, reach, even_unused=even_unused)

        if ended.end == "ended" and self.centrifugo.name in reach.servers:
            ask = partial(reach.ask, self.centrifugo.name)
            self.centrifugo.end_connections(ask, app, user_id)

        return ended

    def servers(self) -> Sequence[Server]:
        """Return the Centrifugo whose connections a revocation ends."""
        return [self.centrifugo]

    def _credentials(self, key: str | None) -> Credentials:
        headers = [("X-API-Key", key)] if key else []
        # No answer may show the key that did not go out either.
        both = [one for one in (self._primary_key, self._app_key) if one]
        return Credentials([], headers, frozenset({"x_api_key"}), made_from=both)


def _message_in(content: bytes) -> str:
    try:
        return str(json.loads(content)["error"]["message"])
    except (ValueError, RecursionError, LookupError, TypeError):
        return ""


def _no_websocket(url: str | None) -> str:
    where = url or "the address that CHATSDK_WS_URL would name here"
    return f"WebSockets are not proxied. Clients connect by themselves, with `wsToken`: {where}"
