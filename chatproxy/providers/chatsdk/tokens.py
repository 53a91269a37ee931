"""ChatSDK's tokens: `token` for REST calls, `wsToken` for Centrifugo, `refreshToken` for new ones.

Each is signed with a secret of its own, so none is accepted in place of another.
"""

from typing import Any

from chatproxy.metrics.table import TOKENS_MINTED
from chatproxy.providers.chatsdk.claims import Form, Holder, new_id
from chatproxy.providers.chatsdk.kinds import (
    ExchangeableKind,
    RefreshKind,
    RestKind,
    SocketKind,
    TokenKind,
)
from chatproxy.providers.chatsdk.settings import ChatSDKSettings
from chatproxy.providers.issuing import Kind
from chatproxy.signing.digests import signature_of

#: Goes into the secret of refresh tokens, so that a ChatSDK server with the secret of `token` takes
#: none of ours: it would give out tokens for it that no revocation here ends.
REFRESHING = b"chatproxy: refresh tokens of ChatSDK"


class TokenPairs:
    """All kinds of token, with the secrets and the lifetime from the settings."""

    def __init__(self, settings: ChatSDKSettings) -> None:
        form = Form(settings)
        self._ttl = settings.token_ttl
        self._refreshing = settings.token_ttl + settings.refresh_grace
        self.rest = RestKind(form, settings.jwt_secrets)
        self.exchangeable = ExchangeableKind(form, settings.jwt_secrets)
        self.websocket = SocketKind(form, settings.centrifugo_secrets)
        self.refresh = RefreshKind(form, [_refreshing(one) for one in settings.jwt_secrets])

    def make(self, holder: Holder, now: float, ttl: int | None = None) -> dict[str, Any]:
        """Make `token` and `wsToken`; return the fields that answers with tokens have in common.

        `now` and `ttl`, their life if not that of the settings, are in seconds.
        """
        # One id for both, so that revoking the id revokes both.
        token_id, life = new_id(), self._ttl if ttl is None else ttl
        token, ws_token = (
            kind.make(holder, token_id, now, life) for kind in (self.rest, self.websocket)
        )
        TOKENS_MINTED.add("chatsdk")
        return {"token": token, "wsToken": ws_token, "expiresIn": life}

    def make_refresh(self, holder: Holder, now: float) -> str:
        """Make a `refreshToken`, which lives as long as a `token` can be exchanged."""
        return self.refresh.make(holder, new_id(), now, self._refreshing)

    def family_end(self, now: float) -> float:
        """Return when the last token is over that a family can have by now."""
        return now + self._refreshing

    def kinds(self) -> list[tuple[Kind, TokenKind]]:
        """Return every kind, as they are told apart by their secrets."""
        return [
            (Kind("token", "CHATSDK_JWT_SECRET", self.rest.secrets), self.rest),
            (Kind("wsToken", "CENTRIFUGO_TOKEN_SECRET", self.websocket.secrets), self.websocket),
            (Kind("refreshToken", "CHATSDK_JWT_SECRET", self.refresh.secrets), self.refresh),
        ]


def _refreshing(secret: str) -> str:
    return signature_of([REFRESHING], secret)
