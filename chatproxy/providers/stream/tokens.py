"""Stream's user tokens, which are checked by Stream alone.

Source: the vendor's official SDKs.
"""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from chatproxy.errors import CallerError
from chatproxy.metrics.table import TOKENS_MINTED
from chatproxy.providers.base import BACK_DATED
from chatproxy.providers.issuing import (
    Inspection,
    Kind,
    Minted,
    Wanted,
    inspection_of,
    signed,
)
from chatproxy.providers.stream.settings import StreamSettings
from chatproxy.signing.tokens import check_times, mint

#: Stream's documents show lower case only; ids in use have upper case as well.
USER_ID = re.compile(r"[A-Za-z0-9@_-]{1,255}")
BAD_USER_ID = "The user id must be 1 to 255 of the characters A-Z a-z 0-9 @ _ -"

#: Claims that a command may not set. With `server` a token may do everything.
OURS = frozenset({"user_id", "exp", "iat", "nbf", "server"})
LONGEST = 10 * 366 * 86400

#: Seconds in a query. No sign, no zero in front, and no more digits than are needed.
SECONDS = re.compile(r"[1-9][0-9]{0,9}")


def is_user_id(text: str) -> bool:
    """Return whether Stream can have a user with this id."""
    return USER_ID.fullmatch(text) is not None


class UserTokens:
    """Makes the tokens of one application."""

    def __init__(self, settings: StreamSettings) -> None:
        self._kind = Kind("user token", "STREAM_API_SECRET", settings.api_secrets)
        self._key = settings.api_secrets[0]
        self._duration = settings.token_duration

    def make(self, user_id: str, now: float, life: int | None = None) -> str:
        """Make a user token, byte for byte as the official SDKs do; `now` is in epoch seconds.

        `life` is in seconds, None for that of the settings.
        """
        TOKENS_MINTED.add("stream")
        return self._make(user_id, now, self._duration if life is None else life, {})

    def life(self, text: str) -> int:
        """Read the seconds that a token is to live; raise `CallerError`.

        It is refused, and not shortened, above what the settings allow: a caller renews a token by
        the life that it asked for.
        """
        most = self._duration or LONGEST

        if not SECONDS.fullmatch(text) or int(text) > most:
            raise CallerError(f"expiresIn: Must be a whole number of seconds from 1 to {most}.")

        return int(text)

    def end(self, now: float) -> float | None:
        """Return when a token ends that is made now; None where it has no end."""
        return None if self._duration is None else int(now) + self._duration

    def mint(self, wanted: Wanted, now: float) -> Minted:
        """Make a user token as a command asks for it; raise `CallerError`."""
        wanted.only("claims")

        if not is_user_id(wanted.user_id):
            raise CallerError(BAD_USER_ID)

        if ours := OURS.intersection(wanted.claims):
            raise CallerError(f"The claim {min(ours)} cannot be set here.")

        duration = wanted.seconds(self._duration, LONGEST)
        token = self._make(wanted.user_id, now, duration, wanted.claims)
        return Minted({"token": token}, None if duration is None else int(now) + duration)

    def inspect(self, token: str, now: float) -> Inspection | None:
        """Return what a token says; None where no secret of ours signed it."""
        found = signed(token, [self._kind])

        if found is None:
            return None

        said = inspection_of(found, lambda: check_times(found.claims, now))
        user, is_server = found.claims.get("user_id"), found.claims.get("server") is True
        is_users = isinstance(user, str) and is_user_id(user)
        fault = said.fault or ("" if is_server or is_users else "it names no user")
        return dataclasses.replace(
            said,
            kind="server token" if is_server else said.kind,
            user=str(user) if is_users else None,
            fault=fault,
            revoked=None,
            note=StreamSettings.tokens_stay,
        )

    def _make(
        self, user_id: str, now: float, duration: int | None, further: Mapping[str, Any]
    ) -> str:
        claims: dict[str, Any] = {"user_id": user_id}

        if duration is not None:
            claims["exp"] = int(now) + duration

        # Stream revokes by comparing `iat`, so a token without it could not be revoked.
        claims["iat"] = int(now) - BACK_DATED
        return mint({**claims, **further}, self._key)
