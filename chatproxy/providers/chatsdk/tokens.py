"""ChatSDK's two tokens: `token` for REST calls, `wsToken` for Centrifugo.

Each has a secret of its own, so that one never passes for the other.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from chatproxy.errors import TokenExpired, TokenForged, TokenMalformed, TokenRevoked
from chatproxy.identity.token_records import Issued
from chatproxy.providers.base import BACK_DATED
from chatproxy.providers.chatsdk.settings import ChatSDKSettings
from chatproxy.signing import tokens


@dataclasses.dataclass(frozen=True)
class Pair:
    """Both tokens of a user, and their life in seconds."""

    token: str = dataclasses.field(repr=False)
    ws_token: str = dataclasses.field(repr=False)
    expires_in: int

    def body(self) -> dict[str, Any]:
        """Return the fields that every answer with tokens has."""
        return {"token": self.token, "wsToken": self.ws_token, "expiresIn": self.expires_in}


class TokenKind:
    """One of the two: which claim names the user, which secrets sign it, what refusals say."""

    def __init__(self, user_claim: str, secrets: Sequence[str], words: dict[type, str]) -> None:
        self._user_claim = user_claim
        self._secrets = secrets
        self._words = words

    def make(self, app_id: str, user_id: str, token_id: str, now: float, ttl: int) -> str:
        """Make a token; times are seconds. It carries no `nbf`: Centrifugo has no leeway."""
        claims = {
            self._user_claim: user_id,
            "app_id": app_id,
            "iat": int(now) - BACK_DATED,
            "exp": int(now) + ttl,
            "jti": token_id,
        }
        return tokens.mint(claims, self._secrets[0])

    def read(self, token: str, now: float, grace: int = 0) -> Issued:
        """Check signature, time and claims; whether it was revoked is the directory's to say.

        Raises a `TokenRejected` in the vendor's words.
        """
        try:
            claims = tokens.read(
                token, self._secrets, now, texts=(self._user_claim, "app_id"), grace=grace
            )
        except (TokenMalformed, TokenForged, TokenExpired) as error:
            raise type(error)(self.word_for(error), detail=error.detail) from error

        return Issued(
            claims["app_id"],
            claims[self._user_claim],
            claims.get("jti"),
            claims["iat"],
            claims["exp"],
        )

    def word_for(self, error: Exception) -> str:
        """Return what the vendor says of this refusal."""
        return self._words[type(error)]


class TokenPairs:
    """Makes both tokens, and knows each kind."""

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

    def make(self, app_id: str, user_id: str, token_id: str, now: float) -> Pair:
        """Make both for a user, with one id: revoking it ends both."""
        rest, websocket = (
            kind.make(app_id, user_id, token_id, now, self._ttl)
            for kind in (self.rest, self.websocket)
        )
        return Pair(rest, websocket, self._ttl)
