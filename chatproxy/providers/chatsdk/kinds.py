"""Each kind of ChatSDK's tokens: what it says, and whose it is when it comes back."""

import abc
import dataclasses
from collections.abc import Sequence
from typing import Any, ClassVar

from chatproxy.errors import TokenExpired, TokenForged, TokenMalformed, TokenRevoked
from chatproxy.identity.token_records import Issued
from chatproxy.providers.base import BACK_DATED
from chatproxy.providers.chatsdk import claims as said
from chatproxy.providers.chatsdk.claims import Claims, Form, Holder
from chatproxy.signing import tokens


class TokenKind(abc.ABC):
    """One kind of token: its claims, its secrets, and the vendor's messages about it."""

    #: Claims that have to be ids.
    ids: ClassVar[tuple[str, ...]] = ("user_id", "app_id")
    messages: ClassVar[dict[type, str]]

    def __init__(self, form: Form, secrets: Sequence[str]) -> None:
        self.form = form
        self.secrets = secrets

    @abc.abstractmethod
    def claims(self, holder: Holder) -> dict[str, Any]:
        """Return what a token of this kind says of its user."""

    @abc.abstractmethod
    def user_in(self, claims: Claims) -> str:
        """Return the user of a token of this kind; raise `TokenMalformed` for another kind."""

    def make(self, holder: Holder, token_id: str, now: float, ttl: int) -> str:
        """Make a token; `now` and `ttl` are in seconds."""
        # No `nbf`: Centrifugo checks it without leeway and reports such a token as expired.
        claims = self.claims(holder) | {
            "iat": int(now) - BACK_DATED,
            "exp": int(now) + ttl,
            "jti": token_id,
            said.VERSION: holder.version,
        }

        if holder.family is not None:
            claims[said.FAMILY] = holder.family

        return tokens.mint(claims, self.secrets[0])

    def read(self, token: str, now: float, grace: int = 0) -> Issued:
        """Check signature, times and claims, but not whether it was revoked.

        Raises a `TokenRejected` with the vendor's message.
        """
        try:
            claims = tokens.read(token, self.secrets, now, texts=self.ids, grace=grace)
            version, family = said.version_of(claims), said.family_of(claims)
        except (TokenMalformed, TokenForged, TokenExpired) as error:
            raise type(error)(self.message_for(error), detail=error.detail) from error

        return Issued(
            claims["app_id"],
            self.user_in(claims),
            claims.get("jti"),
            claims["iat"],
            claims["exp"],
            counted=version,
            family=family,
        )

    def has_signed(self, token: str) -> bool:
        """Say whether a secret of this kind made a token's signature."""
        return any(tokens.signed_claims(token, one) is not None for one in self.secrets)

    def checked(self, issued: Issued) -> Issued:
        """Return that of which the directory is asked whether it was revoked."""
        return issued

    def message_for(self, error: Exception) -> str:
        """Return the vendor's message for this refusal."""
        return self.messages[type(error)]

    def refusal(self, detail: str) -> TokenMalformed:
        """Return the error for a token that is none of this kind."""
        return TokenMalformed(self.messages[TokenMalformed], detail=detail)


class RestKind(TokenKind):
    """`token`, for REST calls."""

    messages: ClassVar[dict[type, str]] = {
        TokenMalformed: "Invalid token",
        TokenForged: "Invalid token signature",
        TokenExpired: "Token expired",
        TokenRevoked: "Token revoked",
    }

    def claims(self, holder: Holder) -> dict[str, Any]:
        """Return the claims of a `token`."""
        return self.form.rest(holder)

    def user_in(self, claims: Claims) -> str:
        """Return the user of an access token; raise `TokenMalformed` for any other type."""
        user_id: str = claims["user_id"]
        # A wsToken of 2.0 names its user, too, and has no type: a signature alone does not tell.
        is_socket = claims.get("sub") == said.subject(claims["app_id"], user_id)

        if claims.get("type", said.REFRESH if is_socket else said.ACCESS) != said.ACCESS:
            raise TokenMalformed(said.WRONG_TYPE)

        self.form.check_parties(claims)
        return user_id


class ExchangeableKind(RestKind):
    """A `token` that is taken in exchange for new ones: one that came without a refresh token."""

    def user_in(self, claims: Claims) -> str:
        """Return its user; raise `TokenMalformed` where it may not be exchanged by itself."""
        user_id = super().user_in(claims)
        is_theirs = "type" in claims and said.version_of(claims) is None

        # A server of 2.0 bound it to a session, and maybe to few scopes: it would come out free of
        # both. What a connecting here gave is exchanged by its refresh token only, as there.
        if is_theirs or said.family_of(claims) is not None:
            raise TokenMalformed(said.WRONG_TYPE)

        return user_id


class SocketKind(TokenKind):
    """`wsToken`, for Centrifugo."""

    # A subject of 2.0 is longer than an id.
    ids = ("app_id",)
    messages: ClassVar[dict[type, str]] = {
        TokenMalformed: "Invalid WebSocket token",
        TokenForged: "Invalid WebSocket token",
        TokenExpired: "WebSocket token expired",
        TokenRevoked: "WebSocket token revoked",
    }

    def claims(self, holder: Holder) -> dict[str, Any]:
        """Return the claims of a `wsToken`."""
        return self.form.socket(holder)

    def user_in(self, claims: Claims) -> str:
        """Return the user whom Centrifugo takes the caller for; raise `TokenMalformed`."""
        if "type" in claims:
            raise self.refusal("it has a type, as a token for REST calls has")

        # Without `user_id` it is of January, when `sub` was the user's id as it is: taken apart at
        # its colon, the token of a user `shop:bob` would be bob's.
        user_id = claims.get("user_id", claims.get("sub"))

        if not tokens.is_plain_text(user_id):
            raise self.refusal("it names no user")

        if "user_id" not in claims:
            return str(user_id)

        if claims.get("sub") != said.subject(claims["app_id"], user_id):
            raise self.refusal("its subject is not its app's user")

        try:
            self.form.check_parties(claims)
        except TokenMalformed as error:
            raise self.refusal(error.detail) from error

        return str(user_id)


class RefreshKind(TokenKind):
    """`refreshToken`, which a connecting gives: good once, and for nothing but new tokens."""

    messages: ClassVar[dict[type, str]] = {
        TokenMalformed: "Invalid token",
        TokenForged: "Invalid token",
        TokenExpired: "Refresh token expired",
        TokenRevoked: "Token has been revoked",
    }

    def claims(self, holder: Holder) -> dict[str, Any]:
        """Return the claims of a `refreshToken`."""
        return self.form.refresh(holder)

    def user_in(self, claims: Claims) -> str:
        """Return the user of a refresh token; raise `TokenMalformed` for any other type."""
        if claims.get("type") != said.REFRESH or not {said.FAMILY, "jti"} <= claims.keys():
            raise self.refusal("it is no refresh token")

        user_id: str = claims["user_id"]
        return user_id

    def checked(self, issued: Issued) -> Issued:
        """Return the token without its own id: that it was used is found when it is used again."""
        return dataclasses.replace(issued, token_id=None)
