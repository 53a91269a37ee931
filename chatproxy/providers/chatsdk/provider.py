"""One ChatSDK application and its server."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from chatproxy.errors import NotServed
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.identity.token_records import Issued
from chatproxy.providers.base import Dialect, Provider, Server, Verdict
from chatproxy.providers.chatsdk import errors, issuing
from chatproxy.providers.chatsdk.centrifugo import Centrifugo
from chatproxy.providers.chatsdk.settings import ChatSDKSettings
from chatproxy.providers.chatsdk.tokens import TokenPairs
from chatproxy.providers.issuing import Inspection, Minted, Wanted

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory


class ChatSDK(Provider):
    """The settings of one ChatSDK application, and the calls to its server."""

    name = "chatsdk"
    needed = "CHATSDK_BASE_URL and CHATSDK_API_KEY"

    def __init__(self, settings: ChatSDKSettings) -> None:
        self.base_url = settings.base_url if settings.api_key else None
        self.allowed_origins = settings.allowed_origins
        self.refresh_grace = settings.refresh_grace
        self.tokens = TokenPairs(settings)
        self.centrifugo = Centrifugo(settings)
        self.no_websocket = partial(NotServed, _no_websocket(settings.ws_url))
        self.dialect = Dialect(errors.api_envelope, self.no_websocket)
        self.dialects = {
            "/tokens": Dialect(errors.token_envelope, self.no_websocket),
            "/tokens/validate": Dialect(errors.validation_envelope, self.no_websocket),
            "/tokens/validate-ws": Dialect(errors.validation_envelope, self.no_websocket),
            "/api": self.dialect,
            "/ws": self.dialect,
        }
        self._headers = [("X-API-Key", settings.api_key)] if settings.api_key else []

    def authorise(self) -> Credentials:
        """Return the real key. The caller's `Authorization` stays, because it names the user."""
        return Credentials([], self._headers, frozenset({"x_api_key"}))

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Return what an answer says about our key."""
        # The server checks the key first and the user's token second; both are a 401. Only
        # the message tells them apart.
        if content is None or status >= 500:
            return "unknown"

        return "refused" if status == 401 and b"API key" in content else "accepted"

    def check(self) -> Call:
        """Ask for channels with the key alone. A good key gets a 401 for the missing user token."""
        return Call.own("GET", "/api/channels", headers=self._headers)

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong with the answer to `check`, or an empty text."""
        if self.verdict(status, content) == "refused":
            return "refuses the API key."

        return f"answered {status}." if status >= 500 else ""

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

    def servers(self) -> Sequence[Server]:
        """Return the Centrifugo whose connections a revocation ends."""
        return [self.centrifugo]


def _no_websocket(url: str | None) -> str:
    where = url or "the address that CHATSDK_WS_URL would name here"
    return f"WebSockets are not proxied. Clients connect by themselves, with `wsToken`: {where}"
