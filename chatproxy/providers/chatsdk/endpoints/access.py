"""Who calls, as ChatSDK asks it: an API key in `X-API-Key`, a user token as Bearer."""

import dataclasses
from collections.abc import Callable
from typing import Any

from chatproxy.errors import TokenOfAnotherApp, TokenRejected, TokenRevoked, Unauthenticated
from chatproxy.identity.records import Key, Profile
from chatproxy.identity.token_records import Issued, Standing
from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.providers.chatsdk.tokens import TokenKind
from chatproxy.web import guards
from chatproxy.web.current import directory, now, provider
from chatproxy.web.parsing import header


@dataclasses.dataclass(frozen=True)
class Service:
    """A service that calls: its key, and what it asks for."""

    key: Key
    wanted: Any = None


@dataclasses.dataclass(frozen=True)
class Client:
    """A client that calls with a token of its own, and what the directory says of it."""

    bearer: str = dataclasses.field(repr=False)
    issued: Issued
    standing: Standing


class PlatformKey:
    """Lets a service in by its API key.

    `wanted` reads what the call asks for. It comes first: at the vendor's a fault in the
    body is told before one in the key.
    """

    def __init__(self, wanted: Callable[[], Any] = lambda: None) -> None:
        self._wanted = wanted

    def __call__(self) -> Service:
        """Return the service; raise `CallerError`, `Unauthenticated`, `TooManyRequests`."""
        wanted = self._wanted()
        text = header("X-API-Key") or ""

        if not text:
            raise Unauthenticated("Missing API key")

        return Service(guards.key(text, "platform", refused="Invalid API key"), wanted)


def rest_token() -> Client:
    """Let a client in by its `token`."""
    return _client(provider(ChatSDK).tokens.rest)


def exchangeable_token() -> Client:
    """Let a client in by a `token` that is good, or was until a short while ago."""
    chatsdk = provider(ChatSDK)
    return _client(chatsdk.tokens.rest, chatsdk.refresh_grace)


def websocket_token() -> Client:
    """Let a client in by its `wsToken`."""
    return _client(provider(ChatSDK).tokens.websocket)


def _client(kind: TokenKind, grace: int = 0) -> Client:
    """Return the client whose token counts; raise `Unauthenticated`, `TooManyRequests`.

    Raises `DirectoryUnavailable` where nobody can say whether the token was revoked.
    """
    token = guards.bearer(missing="Missing token")

    try:
        issued = kind.read(token, now(), grace)
        standing = directory().tokens.check(issued)
    except TokenRejected as error:
        guards.count_rejected(token, error)

        if isinstance(error, TokenRevoked):
            raise TokenRevoked(kind.word_for(error)) from error

        raise

    _check_app(issued)

    if standing.user is None:
        # Made elsewhere with the same secret: known from now on, it can be revoked here.
        user, _ = directory().users.upsert(issued.app_id, issued.user_id, Profile())
        standing = Standing(user, standing.version)

    return Client(token, issued, standing)


def _check_app(issued: Issued) -> None:
    """Raise `TokenOfAnotherApp` where a key of ours comes along that is of another app.

    Any other key is not looked at: it is the server's own, and replaced on the way there.
    """
    key = directory().keys.find(header("X-API-Key") or "")

    if key is not None and key.app_id != issued.app_id:
        raise TokenOfAnotherApp("Token app mismatch")
