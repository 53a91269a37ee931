"""Centrifugo's server API, as far as a revocation needs it.

Source: the vendor's documentation of the server API, versions 5 and 6.
"""

import json

from chatproxy.forwarding.call import Call
from chatproxy.providers.chatsdk.settings import ChatSDKSettings


class Centrifugo:
    """One Centrifugo, which holds the clients' WebSockets."""

    name = "centrifugo"

    def __init__(self, settings: ChatSDKSettings) -> None:
        self.base_url = settings.centrifugo_url
        self._key = settings.centrifugo_key or ""

    def check(self) -> Call:
        """Ask for its nodes."""
        return self._call("/info", {})

    def disconnect(self, user_id: str) -> Call:
        """End every connection of a user; without a connection it succeeds as well."""
        return self._call("/disconnect", {"user": user_id})

    def fault_in(self, status: int, content: bytes) -> str:
        """Return what is wrong: failures are answered with 200 and an `error` in the body."""
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
