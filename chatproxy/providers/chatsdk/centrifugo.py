"""The part of Centrifugo's server API that a revocation needs.

Source: Centrifugo's documentation of the server API, versions 5 and 6.
"""

import json
from collections.abc import Callable

from chatproxy.errors import ChatproxyError, UpstreamError
from chatproxy.forwarding.call import Call
from chatproxy.providers.chatsdk.claims import subject
from chatproxy.providers.chatsdk.settings import JANUARY, ChatSDKSettings

NOT_TOLD = (
    "The tokens are revoked, but Centrifugo could not be told to disconnect the user. Ask again."
)


class Centrifugo:
    """The Centrifugo that holds the clients' WebSockets."""

    name = "centrifugo"

    def __init__(self, settings: ChatSDKSettings) -> None:
        self.base_url = settings.centrifugo_url
        self._key = settings.centrifugo_key or ""
        self._is_january = settings.api_version == JANUARY

    def check(self) -> Call:
        """Ask for its nodes, which needs the key and changes nothing."""
        return self._call("/info", {})

    def disconnect(self, app_id: str, user_id: str) -> Call:
        """End all connections of a user. It also succeeds if there are none."""
        # A user has the name there that the `sub` of the wsToken says.
        name = user_id if self._is_january else subject(app_id, user_id)
        # The calls that revoke a token are in Centrifugo PRO only, this one is in both editions.
        return self._call("/disconnect", {"user": name})

    def end_connections(
        self, ask: Callable[[Call], tuple[int, bytes]], app_id: str, user_id: str
    ) -> None:
        """End all connections of a user by `ask`, which makes a call; raise `UpstreamError`.

        The tokens are revoked by then, and all of it can safely be repeated.
        """
        try:
            fault = self.fault_in(*ask(self.disconnect(app_id, user_id)))
        except ChatproxyError as error:
            fault = error.detail or error.message

        if fault:
            raise UpstreamError(NOT_TOLD, detail=f"{self.name}: {fault}")

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong with an answer, or an empty text."""
        # A wrong key is a 401. All other failures are a 200 with an `error` in the body.
        if status != 200:
            return f"answered {status}."

        try:
            error = json.loads(content).get("error")
        except (ValueError, RecursionError, AttributeError):
            return "its answer could not be read."

        if not error:
            return ""

        code = error.get("code") if isinstance(error, dict) else "of an unknown form"
        return f"answered error {code}."

    def _call(self, path: str, parameters: dict[str, str]) -> Call:
        headers = [("Content-Type", "application/json"), ("X-API-Key", self._key)]
        return Call.own("POST", path, headers=headers, body=json.dumps(parameters).encode())
