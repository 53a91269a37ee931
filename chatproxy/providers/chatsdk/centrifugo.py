"""The part of Centrifugo's server API that a revocation needs.

Source: Centrifugo's documentation of the server API, versions 5 and 6.
"""

import json

from chatproxy.forwarding.call import Call
from chatproxy.providers.chatsdk.settings import ChatSDKSettings


class Centrifugo:
    """The Centrifugo that holds the clients' WebSockets."""

    name = "centrifugo"

    def __init__(self, settings: ChatSDKSettings) -> None:
        self.base_url = settings.centrifugo_url
        self._key = settings.centrifugo_key or ""

    def check(self) -> Call:
        """Ask for its nodes, which needs the key and changes nothing."""
        return self._call("/info", {})

    def disconnect(self, user_id: str) -> Call:
        """End all connections of a user. It also succeeds if there are none."""
        # The calls that revoke a token are in Centrifugo PRO only, this one is in both editions.
        return self._call("/disconnect", {"user": user_id})

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
