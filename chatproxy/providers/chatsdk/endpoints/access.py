"""ChatSDK's guards: an API key in `X-API-Key`, or a user token as Bearer."""

import dataclasses
from collections.abc import Callable
from typing import Any

from chatproxy.errors import TokenOfAnotherApp, TokenRejected, TokenRevoked, Unauthenticated
from chatproxy.identity.records import Key, Profile, User
from chatproxy.identity.token_records import Issued, Standing
from chatproxy.providers.chatsdk.kinds import TokenKind
from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.web import guards
from chatproxy.web.current import directory, now, provider
from chatproxy.web.parsing import header

REFUSED = "Invalid API key"


@dataclasses.dataclass(frozen=True)
class Service:
    """A calling service: its API key, what the request asks for, and for which known user."""

    key: Key
    requested: Any = dataclasses.field(default=None, repr=False)
    user: User | None = None


@dataclasses.dataclass(frozen=True)
class Client:
    """A calling client: its token, and what the directory knows about it."""

    bearer: str = dataclasses.field(repr=False)
    issued: Issued
    standing: Standing


class PlatformKey:
    """Lets a service in by its API key.

    `requested` reads what the request asks for. It runs before the key is checked, because
    the vendor reports a bad body (400) before a bad key (401).
    """

    def __init__(self, requested: Callable[[], Any] = lambda: None) -> None:
        self._requested = requested

    def __call__(self) -> Service:
        """Return the service; raise `CallerError`, `Unauthenticated`, `TooManyRequests`."""
        requested = self._requested()
        return Service(guards.key(_api_key(), "platform", refused=REFUSED), requested)


class PlatformKeyForUser:
    """Lets a service in as `PlatformKey` does; `requested` reads a user's id, and what of it."""

    def __init__(self, requested: Callable[[], tuple[str, Any]]) -> None:
        self._requested = requested

    def __call__(self) -> Service:
        """Return the service; raise `CallerError`, `Unauthenticated`, `TooManyRequests`."""
        requested = self._requested()
        key, user = guards.key_and_user(_api_key(), "platform", requested[0], refused=REFUSED)
        return Service(key, requested, user)


def rest_token() -> Client:
    """Let a client in by its `token`."""
    return client_with(bearer(), provider(ChatSDK).tokens.rest)


def exchangeable_token() -> Client:
    """Let a client in by its `token`, even one that expired within the refresh grace."""
    chatsdk = provider(ChatSDK)
    return client_with(bearer(), chatsdk.tokens.exchangeable, chatsdk.refresh_grace)


def websocket_token() -> Client:
    """Let a client in by its `wsToken`."""
    return client_with(bearer(), provider(ChatSDK).tokens.websocket)


def bearer() -> str:
    """Return the token in `Authorization`; raise `Unauthenticated`."""
    return guards.bearer(missing="Missing token")


def client_with(token: str, kind: TokenKind, grace: int = 0) -> Client:
    """Return the client that has a token of this kind; raise a `TokenRejected`."""
    try:
        issued = kind.read(token, now(), grace)
        standing = directory().tokens.check(kind.checked(issued))
    except TokenRejected as error:
        guards.count_rejected(token, error)

        # A revocation is found by the directory, which has no words of this vendor.
        if isinstance(error, TokenRevoked):
            raise TokenRevoked(kind.message_for(error)) from error

        raise

    _check_app(issued)

    if standing.user is None:
        # Whoever has the same secret, such as a ChatSDK server, made this token. The user is
        # stored from now on, so that the token can be revoked here.
        user, _ = directory().users.upsert(issued.app_id, issued.user_id, Profile())
        standing = Standing(user, standing.version)

    return Client(token, issued, standing)


def _api_key() -> str:
    text = header("X-API-Key") or ""

    if not text:
        raise Unauthenticated("Missing API key")

    return text


def _check_app(issued: Issued) -> None:
    # The vendor refuses a token and a key of different apps (public code, January 2026).
    # A key that is not ours is ignored: it is replaced by the real one on the way out.
    key = directory().keys.find(header("X-API-Key") or "")

    if key is not None and key.app_id != issued.app_id:
        raise TokenOfAnotherApp("Token app mismatch")
