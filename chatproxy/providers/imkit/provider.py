"""What chatproxy knows of one IMKit application and its server."""

import importlib.util
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from chatproxy.errors import NotServed
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.providers.base import Dialect, Provider
from chatproxy.providers.credential import Verdict
from chatproxy.providers.imkit.errors import said
from chatproxy.providers.imkit.settings import IMKitSettings

NO_WEBSOCKET = "WebSockets are not proxied. The socket is at /imkit/socket.io, or at IMKit itself."
NO_SOCKETS = "The socket needs the extra `socketio`: pip install 'chatproxy[socketio]'."

#: Names by which callers show who they are; never what a caller says of itself.
KEYS = frozenset({"im_api_key", "api_key", "im_client_key", "client_key"})


#: Callers of deprecated headers that a worker remembers.
MOST_LEGACY_CALLERS = 1000


class IMKit(Provider):
    """One IMKit application."""

    name = "imkit"
    needed = "IMKIT_BASE_URL, IMKIT_API_KEY and IMKIT_CLIENT_KEY"
    dialect = Dialect(said, partial(NotServed, NO_WEBSOCKET))

    def __init__(self, settings: IMKitSettings, _monotonic: Callable[[], float]) -> None:
        self.base_url = settings.base_url
        self.app = settings.app
        self.token_ttl = settings.token_ttl
        self.verifies_all = settings.verifies == "all"
        self.max_sockets = settings.max_sockets
        self.allowed_origins = settings.allowed_origins
        self.has_sockets = importlib.util.find_spec("wsproto") is not None
        no_socket = None if self.has_sockets else partial(NotServed, NO_SOCKETS)
        self.dialects = {
            "/imkit": self.dialect,
            "/imkit/socket.io": Dialect(said, no_socket),
        }
        self._legacy_callers: set[tuple[str, str]] = set()
        self._api_key = settings.api_key or ""
        self._client_key = settings.client_key or ""

    def authorise(self) -> Credentials:
        """Return the platform key."""
        return Credentials([], [("IM-API-KEY", self._api_key)], KEYS)

    def for_client(self, client_id: str, token: str, *, legacy: bool) -> Credentials:
        """Return what a client's call goes out with: the real client key, its token, its id.

        The token has one name there. `legacy` says that it came as `Authorization`, which is
        else somebody else's, and left as it is.
        """
        headers = [
            ("IM-Client-Key", self._client_key),
            ("IM-Authorization", token),
            ("IM-CLIENT-ID", client_id.encode().decode("latin-1")),  # as WSGI has every header
        ]
        names = {"im_authorization", "im_client_id", *(("authorization",) if legacy else ())}
        return Credentials([], headers, KEYS | names, public=frozenset({"IM-CLIENT-ID"}))

    def is_first_use(self, caller: str, name: str) -> bool:
        """Say whether this worker sees a caller use a deprecated header for the first time."""
        use = (caller, name)

        if use in self._legacy_callers or len(self._legacy_callers) >= MOST_LEGACY_CALLERS:
            return False

        self._legacy_callers.add(use)
        return True

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Take a 401 to our own call for a refusal; that of a forwarded one may be a token's."""
        if content is None:
            return "unknown"

        return "refused" if status == 403 else super().verdict(status, content)

    def check(self) -> Call:
        """Ask for one client: a call that needs the platform key and changes nothing."""
        return self._call("GET", "/admin/clients", query=[("limit", "1")])

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong with the answer."""
        if self.verdict(status, content) == "refused":
            return "refuses the platform key."

        return super().fault_in(status, content)

    def change(self, method: str, path: str, document: Mapping[str, Any]) -> Call:
        """Return the call that tells the server of a change."""
        return self._call(method, path, json.dumps(document).encode())

    def _call(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        query: Sequence[tuple[str, str]] = (),
    ) -> Call:
        kind = [("Content-Type", "application/json")] if body is not None else []
        headers = [("IM-API-KEY", self._api_key), *kind]
        return Call.own(method, path, query=query, headers=headers, body=body)
