"""`POST /imkit/verify`: whose token is this? As an IMKit server asks of the customer's service."""

from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import TokenRejected, TokenUnknown
from chatproxy.identity.records import User
from chatproxy.providers.base import ReadsTokens
from chatproxy.providers.imkit.endpoints import access, schemas
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.web import guards
from chatproxy.web.answers import private
from chatproxy.web.current import directory, now, provider, services
from chatproxy.web.parsing import load, read_json

blueprint = Blueprint("imkit-verify", __name__)


@blueprint.post("")
def verify() -> Response:
    """Answer the client's id, nickname and picture; 401 for a token that does not count.

    No key is asked for: whoever shows a good token knows whose it is.
    """
    token = access.bare(load(schemas.VerificationBody(), read_json())["token"])

    try:
        shown = _owner(token)
    except TokenRejected as error:
        guards.count_rejected(token, error)
        raise

    return private(shown)


def _owner(token: str) -> dict[str, Any]:
    """Return whose token it is; raise a `TokenRejected`."""
    try:
        return _shown(directory().opaque_tokens.check(provider(IMKit).app, token).user)
    except TokenUnknown:
        if not provider(IMKit).verifies_all:
            raise

    return _owner_elsewhere(token)


def _owner_elsewhere(token: str) -> dict[str, Any]:
    """Return whose token of another provider it is; raise a `TokenRejected`."""
    for backend in services().backends.values():
        if not isinstance(backend.provider, ReadsTokens):
            continue

        try:
            issued = backend.provider.read_user_token(token, now())
        except TokenRejected:
            continue

        if issued.app_id != provider(IMKit).app:
            continue

        user = directory().tokens.check(issued).user

        if user is not None:
            return _shown(user)

        if not issued.by_our_id:  # the same secret signed it elsewhere, for somebody new
            return {"id": issued.user_id}

    raise TokenUnknown("Invalid token")


def _shown(user: User) -> dict[str, Any]:
    known = {"id": user.external_id, "nickname": user.name, "avatarUrl": user.image}
    return {name: value for name, value in known.items() if value is not None}
