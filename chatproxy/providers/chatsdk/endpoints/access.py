"""Who calls, as ChatSDK asks it: an API key in `X-API-Key`, a user token as Bearer."""

from typing import cast

from flask import request

from chatproxy.web import guards
from chatproxy.web.serving import directory, now, services
from chatproxy.errors import TokenOfAnotherApp, TokenRejected, TokenRevoked, Unauthenticated
from chatproxy.identity.keys import Key
from chatproxy.identity.revocation import Issued, Standing
from chatproxy.identity.user import Profile
from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.providers.chatsdk.tokens import TokenKind


def chatsdk() -> ChatSDK:
    """Return the provider."""
    return cast(ChatSDK, services().routes[ChatSDK.name].provider)


def platform_key() -> Key:
    """Return the key of a service that calls; raise `Unauthenticated`."""
    text = request.headers.get("X-API-Key", "")

    if not text:
        raise Unauthenticated("Missing API key")

    return guards.key(text, "platform", refused="Invalid API key")


def user_token(kind: TokenKind, grace: int = 0) -> tuple[Issued, Standing]:
    """Return a token that counts; raise `Unauthenticated`, `TooManyRequests`.

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

    return issued, standing


def _check_app(issued: Issued) -> None:
    """Raise `TokenOfAnotherApp` where a key of ours comes along that is of another app.

    Any other key is not looked at: it is the server's own, and replaced on the way there.
    """
    key = directory().keys.find(request.headers.get("X-API-Key", ""))

    if key is not None and key.app_id != issued.app_id:
        raise TokenOfAnotherApp("Token app mismatch")
