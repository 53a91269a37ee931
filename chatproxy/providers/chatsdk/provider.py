"""What chatproxy knows of one ChatSDK application and its server."""

from collections.abc import Callable, Sequence
from functools import partial

from chatproxy.errors import NotServed
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.identity.token_records import Issued
from chatproxy.providers.base import Dialect, Provider, Server
from chatproxy.providers.chatsdk import errors
from chatproxy.providers.chatsdk.centrifugo import Centrifugo
from chatproxy.providers.chatsdk.settings import ChatSDKSettings
from chatproxy.providers.chatsdk.tokens import TokenPairs
from chatproxy.providers.credential import Verdict


class ChatSDK(Provider):
    """One ChatSDK application."""

    name = "chatsdk"
    needed = "CHATSDK_BASE_URL and CHATSDK_API_KEY"

    def __init__(self, settings: ChatSDKSettings, _monotonic: Callable[[], float]) -> None:
        self.base_url = settings.base_url if settings.api_key else None
        self.allowed_origins = settings.allowed_origins
        self.refresh_grace = settings.refresh_grace
        self.tokens = TokenPairs(settings)
        self.centrifugo = Centrifugo(settings)
        self.no_websocket = partial(NotServed, _no_websocket(settings.ws_url))
        self.dialect = Dialect(errors.of_api, self.no_websocket)
        self.dialects = {
            "/tokens": Dialect(errors.of_tokens, self.no_websocket),
            "/tokens/validate": Dialect(errors.of_check, self.no_websocket),
            "/tokens/validate-ws": Dialect(errors.of_check, self.no_websocket),
            "/api": self.dialect,
            "/ws": self.dialect,
        }
        self._headers = [("X-API-Key", settings.api_key)] if settings.api_key else []

    def authorise(self) -> Credentials:
        """Return the real key. A caller's `Authorization` stays: it names the user."""
        return Credentials([], self._headers, frozenset({"x_api_key"}))

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Tell by the words: a 401 may be about the user's token, which comes second there."""
        if content is None or status >= 500:
            return "unknown"

        return "refused" if status == 401 and b"API key" in content else "accepted"

    def check(self) -> Call:
        """Ask for channels with the key alone: without a user the answer is 401, for that."""
        return Call.own("GET", "/api/channels", headers=self._headers)

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong with the answer."""
        if self.verdict(status, content) == "refused":
            return "refuses the API key."

        return f"answered {status}." if status >= 500 else ""

    def read_user_token(self, token: str, now: float) -> Issued:
        """Read a `token`, not a `wsToken`; raise a `TokenRejected`."""
        return self.tokens.rest.read(token, now)

    def servers(self) -> Sequence[Server]:
        """Return Centrifugo."""
        return [self.centrifugo]


def _no_websocket(url: str | None) -> str:
    where = url or "the address that CHATSDK_WS_URL would name here"
    return f"WebSockets are not proxied. Clients connect by themselves, with `wsToken`: {where}"
