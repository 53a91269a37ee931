"""Stream's user tokens, which are checked by Stream alone.

Source: the vendor's official SDKs.
"""

import re
from typing import Any

from chatproxy.metrics.table import TOKENS_MINTED
from chatproxy.providers.base import BACK_DATED
from chatproxy.providers.stream.settings import StreamSettings
from chatproxy.signing.tokens import mint

#: Stream's documents show lower case only; ids in use have upper case as well.
USER_ID = re.compile(r"[A-Za-z0-9@_-]{1,255}")


def is_user_id(text: str) -> bool:
    """Return whether Stream can have a user with this id."""
    return USER_ID.fullmatch(text) is not None


class UserTokens:
    """Makes the tokens of one application."""

    def __init__(self, settings: StreamSettings) -> None:
        self._key = settings.api_secrets[0]
        self._duration = settings.token_duration

    def make(self, user_id: str, now: float) -> str:
        """Make a user token, byte for byte as the official SDKs do; `now` is in epoch seconds."""
        claims: dict[str, Any] = {"user_id": user_id}

        if self._duration is not None:
            claims["exp"] = int(now) + self._duration

        # Stream revokes by comparing `iat`, so a token without it could not be revoked.
        claims["iat"] = int(now) - BACK_DATED
        TOKENS_MINTED.add("stream")
        return mint(claims, self._key)
