"""One IMKit application and its server."""

import dataclasses
import importlib.util
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from chatproxy.errors import CallerError, NotServed, TokenRejected, TokenRevoked
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.identity.records import Profile
from chatproxy.providers.base import NO_SUCH_USER, Dialect, Provider, Verdict
from chatproxy.providers.imkit.changes import Changes
from chatproxy.providers.imkit.clientids import BAD_CLIENT_ID, is_client_id
from chatproxy.providers.imkit.errors import ClientNotFound, error_envelope
from chatproxy.providers.imkit.settings import IMKitSettings
from chatproxy.providers.issuing import Inspection, Minted, Wanted
from chatproxy.providers.people import Ended, Given, Person, Reach
from chatproxy.settings.fields import DAY

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory

#: Where clients find their interface here.
PATH = "/imkit"

NO_WEBSOCKET = "WebSockets are not proxied. The socket is at /imkit/socket.io, or at IMKit itself."
NO_SOCKETS = "The socket needs the extra `socketio`: pip install 'chatproxy[socketio]'."

BOUND_THERE = (
    "The IMKit server has to be told of each token: make it with "
    "`POST /imkit/admin/clients` and issueAccessToken."
)

ENDED_THERE = (
    "The IMKit server has to be told that it ends: `DELETE /imkit/admin/clients/<id>/token`."
)

#: Seconds that a token may live, as the setting of its life has it.
LONGEST = 366 * DAY

#: Headers with the credentials of a caller, which are never forwarded.
KEYS = frozenset({"im_api_key", "api_key", "im_client_key", "client_key"})

#: Headers of ours that an answer may repeat.
PUBLIC = frozenset({"IM-CLIENT-ID"})

#: Keys used with deprecated headers that a worker remembers, so that each is logged once.
MOST_LEGACY_CALLERS = 1000


class IMKit(Provider):
    """The settings of one IMKit application, and the calls to its server."""

    name = "imkit"
    needed = "IMKIT_BASE_URL, IMKIT_API_KEY and IMKIT_CLIENT_KEY"
    dialect = Dialect(error_envelope, partial(NotServed, NO_WEBSOCKET))

    def __init__(self, settings: IMKitSettings) -> None:
        self.base_url = settings.base_url
        self.app = settings.app
        self.token_ttl = settings.token_ttl
        self.verifies_all = settings.verifies == "all"
        self.relays_sockets = settings.socket == "relay"
        self.max_sockets = settings.max_sockets
        self.max_badge_clients = settings.max_badge_clients
        self.allowed_origins = settings.allowed_origins
        self.has_sockets = importlib.util.find_spec("wsproto") is not None
        no_socket = None if self.has_sockets else partial(NotServed, NO_SOCKETS)
        self.dialects = {
            "/imkit": self.dialect,
            "/imkit/socket.io": Dialect(error_envelope, no_socket),
        }
        self._legacy_callers: set[tuple[str, str]] = set()
        self._api_key = settings.api_key or ""
        self._client_key = settings.client_key or ""

    def authorise(self) -> Credentials:
        """Return the platform key."""
        return Credentials([], [("IM-API-KEY", self._api_key)], KEYS)

    def for_platform(self, client_id: str) -> Credentials:
        """Return the credentials of a platform's call for one client, named as WSGI has it."""
        # Put in last: else the caller could have it removed by naming it in `Connection`, and
        # would be answered about all clients.
        headers = [("IM-API-KEY", self._api_key), ("IM-CLIENT-ID", client_id)]
        return Credentials([], headers, KEYS | {"im_client_id"}, public=PUBLIC)

    def for_client(self, client_id: str, token: str, *, legacy: bool) -> Credentials:
        """Return the credentials of a client's call: the real client key, its token, its id.

        With `legacy` the token came in `Authorization`, which is then removed. Otherwise that
        header is somebody else's and is forwarded as it is.
        """
        headers = [
            ("IM-Client-Key", self._client_key),
            ("IM-Authorization", token),
            ("IM-CLIENT-ID", client_id.encode().decode("latin-1")),  # as WSGI has every header
        ]
        names = {"im_authorization", "im_client_id", *(("authorization",) if legacy else ())}
        return Credentials([], headers, KEYS | names, public=PUBLIC)

    @property
    def client_key(self) -> str:
        """The real client key, for what a client says on a socket."""
        return self._client_key

    def for_socket(
        self,
        query: Sequence[tuple[str, str]],
        reserved: frozenset[str],
        client_id: str | None,
        token: str | None,
    ) -> Credentials:
        """Return the credentials of a request for a socket, or of a part of one.

        `query` are those that the caller put there, with what replaces them. The client is known
        only where the request itself shows a token.
        """
        headers = [("IM-Client-Key", self._client_key)]

        if client_id is not None and token is not None:
            headers += [
                ("IM-Authorization", token),
                ("IM-CLIENT-ID", client_id.encode().decode("latin-1")),
            ]

        names = {"im_authorization", "authorization", "im_client_id"}
        return Credentials(query, headers, KEYS | names | reserved, public=PUBLIC)

    def is_first_use(self, caller: str, name: str) -> bool:
        """Return whether a caller uses a deprecated header for the first time in this worker."""
        use = (caller, name)

        if use in self._legacy_callers or len(self._legacy_callers) >= MOST_LEGACY_CALLERS:
            return False

        self._legacy_callers.add(use)
        return True

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Return what an answer says about our key."""
        # A 401 to a forwarded call may be about the client's token, so only `check` tells.
        if content is None:
            return "unknown"

        return "refused" if status == 403 else super().verdict(status, content)

    def check(self) -> Call:
        """Ask for one client, which needs the platform key and changes nothing."""
        headers = [("IM-API-KEY", self._api_key)]
        return Call.own("GET", "/admin/clients", query=[("limit", "1")], headers=headers)

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong with the answer to `check`, or an empty text."""
        if self.verdict(status, content) == "refused":
            return "refuses the platform key."

        return super().fault_in(status, content)

    def changes(self, reach: Reach) -> Changes:
        """Return what changes clients and tokens, at the server and in the directory."""
        return Changes(self.name, self.app, self._api_key, reach)

    def id_fault(self, user_id: str) -> str:
        """Return why IMKit can have nobody with this id."""
        return "" if is_client_id(user_id) else BAD_CLIENT_ID

    def give(self, person: Person, reach: Reach) -> Given:
        """Make a token and bind it to the client, who is made or changed on the way."""
        assert reach.directory is not None  # noqa: S101
        token = reach.directory.opaque_tokens.make(reach.now + self.token_ttl)
        self.changes(reach).bind(person.user_id, token, person.profile)
        connect = {"clientId": person.user_id, "path": PATH, "socketPath": f"{PATH}/socket.io"}
        return Given({"token": token.text}, token.expires, connect)

    def end_user(self, user_id: str, app: str, reach: Reach, *, even_unused: bool = False) -> Ended:
        """End all tokens of a client; raise `UpstreamError` where the server was not told."""
        if app != self.app:
            return super().end_user(user_id, app, reach, even_unused=even_unused)

        try:
            self.changes(reach).unbind(user_id, None)
        except ClientNotFound:
            return Ended("unknown", NO_SUCH_USER)

        return Ended()

    def end_everybody(self, app: str, reach: Reach) -> Ended:
        """End the tokens of all clients, unless a server would have to be told of each."""
        if self.base_url is not None:
            return Ended("notEnded", ENDED_THERE)

        return super().end_everybody(app, reach)

    def mint(self, wanted: Wanted, directory: "Directory | None", now: float) -> Minted:
        """Make a token and bind it to a client, who is made where there is none."""
        assert directory is not None  # noqa: S101 - it knows users
        wanted.only()

        if self.base_url is not None:
            raise CallerError(BOUND_THERE)

        ttl = wanted.seconds(self.token_ttl, LONGEST) or self.token_ttl
        token = directory.opaque_tokens.make(now + ttl)
        directory.opaque_tokens.bind(self.app, wanted.user_id, token, Profile())
        return Minted({"token": token.text}, token.expires)

    def inspect(self, token: str, directory: "Directory | None", now: float) -> Inspection | None:  # noqa: ARG002
        """Return what is known of a token, which says nothing by itself."""
        assert directory is not None  # noqa: S101
        plain = Inspection("bound token", signed_by="found in the directory", app=self.app)
        user = directory.opaque_tokens.owner(self.app, token)

        if user is None:
            return None

        plain = dataclasses.replace(plain, user=user)

        try:
            bound = directory.opaque_tokens.check(self.app, token)
        except TokenRevoked as error:
            return dataclasses.replace(plain, fault=error.message, revoked=True)
        except TokenRejected as error:
            return dataclasses.replace(plain, fault=error.message)

        return dataclasses.replace(plain, expires=bound.expires, revoked=False)

    def end_token(self, token: str, said: Inspection, directory: "Directory") -> None:
        """End one token of a client."""
        if self.base_url is not None:
            raise CallerError(ENDED_THERE)

        directory.opaque_tokens.unbind(self.app, said.user or "", token)
