"""ChatSDK's two tokens: `token` for REST calls, `wsToken` for Centrifugo.

Each is signed with its own secret, so neither is accepted in place of the other.
"""

from collections.abc import Sequence
from typing import Any

from chatproxy.errors import TokenExpired, TokenForged, TokenMalformed, TokenRevoked
from chatproxy.identity.token_records import Issued
from chatproxy.metrics.table import TOKENS_MINTED
from chatproxy.providers.base import BACK_DATED
from chatproxy.providers.chatsdk.settings import ChatSDKSettings
from chatproxy.providers.issuing import Kind
from chatproxy.signing import tokens


class TokenKind:
    """One of the two tokens: the claim that names the user, its secrets and error messages."""

    def __init__(self, user_claim: str, secrets: Sequence[str], messages: dict[type, str]) -> None:
        self.user_claim = user_claim
        self.secrets = secrets
        self._messages = messages

    def make(self, app_id: str, user_id: str, token_id: str, now: float, ttl: int) -> str:
        """Make a token; `now` and `ttl` are in seconds."""
        # The claims of the server of January 2026, and `jti`, which it ignores. No `nbf`:
        # Centrifugo checks it without leeway and reports such a token as expired.
        claims = {
            self.user_claim: user_id,
            "app_id": app_id,
            "iat": int(now) - BACK_DATED,
            "exp": int(now) + ttl,
            "jti": token_id,
        }
        return tokens.mint(claims, self.secrets[0])

    def read(self, token: str, now: float, grace: int = 0) -> Issued:
        """Check signature, times and claims, but not whether it was revoked.

        Raises a `TokenRejected` with the vendor's message.
        """
        try:
            claims = tokens.read(
                token, self.secrets, now, texts=(self.user_claim, "app_id"), grace=grace
            )
        except (TokenMalformed, TokenForged, TokenExpired) as error:
            raise type(error)(self.message_for(error), detail=error.detail) from error

        return Issued(
            claims["app_id"],
            claims[self.user_claim],
            claims.get("jti"),
            claims["iat"],
            claims["exp"],
        )

    def message_for(self, error: Exception) -> str:
        """Return the vendor's message for this refusal."""
        return self._messages[type(error)]


class TokenPairs:
    """Both kinds of token, with the secrets and the lifetime from the settings."""

    def __init__(self, settings: ChatSDKSettings) -> None:
        self._ttl = settings.token_ttl
        self.rest = TokenKind(
            "user_id",
            settings.jwt_secrets,
            {
                TokenMalformed: "Invalid token",
                TokenForged: "Invalid token signature",
                TokenExpired: "Token expired",
                TokenRevoked: "Token revoked",
            },
        )
        self.websocket = TokenKind(
            "sub",
            settings.centrifugo_secrets,
            {
                TokenMalformed: "Invalid WebSocket token",
                TokenForged: "Invalid WebSocket token",
                TokenExpired: "WebSocket token expired",
                TokenRevoked: "WebSocket token revoked",
            },
        )

    def make(
        self, app_id: str, user_id: str, token_id: str, now: float, ttl: int | None = None
    ) -> dict[str, Any]:
        """Make both tokens; return the fields that the answers with tokens have in common.

        `now` and `ttl`, their life if not that of the settings, are in seconds.
        """
        # One id for both, so that revoking the id revokes both.
        life = self._ttl if ttl is None else ttl
        token, ws_token = (
            kind.make(app_id, user_id, token_id, now, life) for kind in (self.rest, self.websocket)
        )
        TOKENS_MINTED.add("chatsdk")
        return {"token": token, "wsToken": ws_token, "expiresIn": life}

    def kinds(self) -> list[tuple[Kind, TokenKind]]:
        """Return both kinds, as they are told apart by their secrets."""
        return [
            (Kind("token", "CHATSDK_JWT_SECRET", self.rest.secrets), self.rest),
            (Kind("wsToken", "CENTRIFUGO_TOKEN_SECRET", self.websocket.secrets), self.websocket),
        ]
