"""The claims of ChatSDK's tokens, as the server of each API version writes and reads them.

Source: the vendor's public code of January 2026 (`2026-01`) and of July 2026 (`2.0`).
"""

import dataclasses
import re
import uuid
from collections.abc import Mapping
from typing import Any

from chatproxy.errors import TokenMalformed
from chatproxy.providers.chatsdk.settings import JANUARY, SCOPES, ChatSDKSettings

Claims = Mapping[str, Any]

#: Claims of our own, which both servers and Centrifugo ignore. Not `sid`: a server of 2.0 looks
#: that up among its own sessions, and refuses a token whose session it does not have.
VERSION = "token_version"
FAMILY = "token_family"

ACCESS, REFRESH = "access", "refresh"
WRONG_TYPE = "Invalid token type"

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MOST_REVOCATIONS = 2**31


@dataclasses.dataclass(frozen=True)
class Holder:
    """For whom tokens are made. `version` is the user's, and what a revocation raises.

    `family` is shared by all tokens that come from one connecting, None for those of `/tokens`.
    """

    app_id: str
    user_id: str
    version: int
    family: str | None = None


def subject(app_id: str, user_id: str) -> str:
    """Return what a server of 2.0 calls a user, at Centrifugo too. An app's id has no colon."""
    return f"{app_id}:{user_id}"


def new_id() -> str:
    """Make an id for a token or a family. A server of 2.0 looks it up as a UUID."""
    return str(uuid.uuid4())


def version_of(claims: Claims) -> int | None:
    """Return the version in the claim of our own, None without one; raise `TokenMalformed`."""
    version = claims.get(VERSION)
    is_number = isinstance(version, int) and not isinstance(version, bool)

    if VERSION in claims and not (is_number and 0 <= claims[VERSION] < MOST_REVOCATIONS):
        raise TokenMalformed("Invalid token", detail="its version is no count")

    return version


def family_of(claims: Claims) -> str | None:
    """Return the family, None for a token that has none; raise `TokenMalformed`."""
    family = claims.get(FAMILY)

    if FAMILY in claims and not (isinstance(family, str) and UUID.fullmatch(family)):
        raise TokenMalformed("Invalid token", detail="its family is no UUID")

    return family


class Form:
    """How the claims of the API version in the settings look."""

    def __init__(self, settings: ChatSDKSettings) -> None:
        self.is_january = settings.api_version == JANUARY
        self._issuer = settings.issuer
        self._audience = settings.audience
        self._scopes = list(settings.scopes or SCOPES)

    def rest(self, holder: Holder) -> dict[str, Any]:
        """Return what a `token` says of its user."""
        named = {"user_id": holder.user_id, "app_id": holder.app_id}
        return named if self.is_january else named | {"type": ACCESS} | self._of_today(holder)

    def socket(self, holder: Holder) -> dict[str, Any]:
        """Return what a `wsToken` says of its user. Without `channel`, which Centrifugo refuses."""
        if self.is_january:
            return {"sub": holder.user_id, "app_id": holder.app_id}

        return {"user_id": holder.user_id, "app_id": holder.app_id} | self._of_today(holder)

    def refresh(self, holder: Holder) -> dict[str, Any]:
        """Return what a refresh token says of its user."""
        return {"user_id": holder.user_id, "app_id": holder.app_id, "type": REFRESH}

    def check_parties(self, claims: Claims) -> None:
        """Raise `TokenMalformed` for a token by or for somebody else with the same secret.

        A token without these claims is one of January's. Its server does not look at them.
        """
        audience = claims.get("aud", self._audience)
        audiences = audience if isinstance(audience, list) else [audience]
        is_ours = claims.get("iss", self._issuer) == self._issuer and self._audience in audiences

        if not (self.is_january or is_ours):
            raise TokenMalformed("Invalid token", detail="it has another issuer or audience")

    def _of_today(self, holder: Holder) -> dict[str, Any]:
        parties = {"iss": self._issuer, "aud": self._audience}
        return {"sub": subject(holder.app_id, holder.user_id), "scopes": self._scopes} | parties
