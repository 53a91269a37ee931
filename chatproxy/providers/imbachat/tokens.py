"""ImbaChat's user tokens, which are checked by imbachat.com alone."""

from chatproxy.metrics.table import TOKENS_MINTED
from chatproxy.providers.imbachat.settings import ImbaChatSettings
from chatproxy.signing.tokens import mint


class UserTokens:
    """Makes the tokens of one widget; `ttl` is their life in seconds."""

    def __init__(self, settings: ImbaChatSettings) -> None:
        self.ttl = settings.token_ttl
        self._key = settings.secret_key

    def make(self, user_id: str, now: float) -> str:
        """Make a user token; `now` is in epoch seconds."""
        # The vendor documents these two claims only: no `iat`, and no id to revoke it by.
        TOKENS_MINTED.add("imbachat")
        return mint({"exp": int(now) + self.ttl, "user_id": int(user_id)}, self._key)
