"""What chatproxy knows of one PerformChat company and its server."""

import json
from collections.abc import Sequence
from functools import partial

from chatproxy.providers.credential import Verdict
from chatproxy.errors import NotServed
from chatproxy.identity.revocation import Issued
from chatproxy.providers.base import Credentials, Dialect, OwnCall, Server
from chatproxy.providers.performchat.errors import said
from chatproxy.providers.performchat.settings import PerformChatSettings
from chatproxy.providers.performchat.tokens import Tokens

NO_WEBSOCKET = (
    "WebSockets are not proxied. Clients connect to PerformChat themselves, with their token."
)


class PerformChat:
    """One PerformChat company."""

    name = "performchat"
    needed = "PERFORMCHAT_BASE_URL"
    root_port = None
    dialect = Dialect(said, partial(NotServed, NO_WEBSOCKET))

    def __init__(self, settings: PerformChatSettings) -> None:
        self.base_url = settings.base_url
        self.max_ttl = settings.max_ttl
        self.token_rate = settings.token_rate
        self.tokens = Tokens(settings.jwt_secrets)
        self.dialects = {"/rest": self.dialect}
        self._key = {"keyId": settings.key_id or "", "keySecret": settings.key_secret or ""}

    def authorise(self) -> Credentials:
        """Return the key's two halves, which go into the JSON body."""
        return Credentials([], [], frozenset({"keyid", "keysecret", "authorization"}), self._key)

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Take a 401 to our own call for a refusal; a caller's may be about a permission."""
        if status == 401:
            return "unknown" if content is None else "refused"

        return "accepted" if 200 <= status < 300 else "unknown"

    def check(self) -> OwnCall:
        """Return the one call that tells a good key from a bad one without changing anything."""
        return OwnCall(
            "GET",
            "/rest/v1/agents",
            [("limit", "1")],
            [("Content-Type", "application/json")],
            body=_json(self._key),
        )

    def fault_in(self, status: int, _content: bytes) -> str:
        """Return what is wrong with the answer."""
        return "" if 200 <= status < 300 else f"answered {status}."

    def read_user_token(self, token: str, now: float) -> Issued:
        """Read a token; raise a `TokenRejected`."""
        return self.tokens.read(token, now).issued

    def servers(self) -> Sequence[Server]:
        """Return nothing: all is at one server."""
        return ()


def _json(document: dict[str, str]) -> bytes:
    return json.dumps(document).encode()
