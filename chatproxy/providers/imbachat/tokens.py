"""ImbaChat's user tokens, which are checked by imbachat.com alone."""

import dataclasses

from chatproxy.errors import CallerError
from chatproxy.metrics.table import TOKENS_MINTED
from chatproxy.providers.imbachat import userids
from chatproxy.providers.imbachat.settings import ImbaChatSettings
from chatproxy.providers.issuing import (
    Inspection,
    Kind,
    Minted,
    Wanted,
    inspection_of,
    signed,
)
from chatproxy.settings.fields import DAY
from chatproxy.signing.tokens import check_times, mint

#: Seconds that a token may live, as the setting of its life has it.
LONGEST = 30 * DAY


class UserTokens:
    """Makes the tokens of one widget; `ttl` is their life in seconds."""

    def __init__(self, settings: ImbaChatSettings) -> None:
        self.ttl = settings.token_ttl
        self._key = settings.secret_key

    def make(self, user_id: str, now: float) -> str:
        """Make a user token; `now` is in epoch seconds."""
        TOKENS_MINTED.add("imbachat")
        return self._make(user_id, int(now) + self.ttl)

    def mint(self, wanted: Wanted, now: float) -> Minted:
        """Make a user token as a command asks for it; raise `CallerError`."""
        wanted.only()

        if not userids.is_user_id(wanted.user_id):
            raise CallerError(userids.INVALID)

        expires = int(now) + (wanted.seconds(self.ttl, LONGEST) or 0)
        return Minted({"token": self._make(wanted.user_id, expires)}, expires)

    def inspect(self, token: str, now: float) -> Inspection | None:
        """Return what a token says; None where our key did not sign it."""
        found = signed(token, [Kind("user token", "IMBACHAT_SECRET_KEY", (self._key,))])

        if found is None:
            return None

        said = inspection_of(found, lambda: check_times(found.claims, now))
        user = str(found.claims.get("user_id"))
        is_users = userids.is_user_id(user) and "exp" in found.claims
        return dataclasses.replace(
            said,
            user=user if is_users else None,
            fault=said.fault or ("" if is_users else "it names no user, or has no end"),
            revoked=None,
            note=ImbaChatSettings.tokens_stay,
        )

    def _make(self, user_id: str, expires: int) -> str:
        # The vendor documents these two claims only: no `iat`, and no id to revoke it by.
        return mint({"exp": expires, "user_id": int(user_id)}, self._key)
