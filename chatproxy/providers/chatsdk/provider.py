"""What chatproxy knows of one ChatSDK application and its server."""

from collections.abc import Sequence
from functools import partial

from chatproxy.errors import NotServed
from chatproxy.providers.base import Credentials, Dialect, OwnCall, Server
from chatproxy.providers.chatsdk import errors
from chatproxy.providers.chatsdk.centrifugo import Centrifugo
from chatproxy.providers.chatsdk.settings import ChatSDKSettings
from chatproxy.providers.chatsdk.tokens import TokenPairs


class ChatSDK:
    """One ChatSDK application."""

    name = "chatsdk"
    base_url_variable = "CHATSDK_BASE_URL"
    root_port = None

    def __init__(self, settings: ChatSDKSettings) -> None:
        self.base_url = settings.base_url
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

    def refuses_credential(self, status: int) -> bool:
        """Say whether the key was refused: 401, where no user's token was in the call."""
        return status == 401

    def check(self) -> OwnCall:
        """Ask whether the server is up. It has no cheap call that needs a key."""
        return OwnCall("GET", "/health")

    def fault_in(self, status: int, _content: bytes) -> str:
        """Return what is wrong with the answer."""
        return "" if 200 <= status < 300 else f"answered {status}."

    def servers(self) -> Sequence[Server]:
        """Return Centrifugo."""
        return [self.centrifugo]


def _no_websocket(url: str | None) -> str:
    where = url or "your ChatSDK server, at the address that CHATSDK_WS_URL should name"
    return f"WebSockets are not proxied. Clients connect to {where} themselves, with `wsToken`."
