"""`POST /imkit/verify`: the owner of a token, as an IMKit server asks the customer's service."""

from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import TokenRejected, TokenUnknown
from chatproxy.formats.objects import without_none
from chatproxy.identity.records import User
from chatproxy.providers.base import ReadsTokens
from chatproxy.providers.imkit.endpoints import clienttokens, schemas
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.web import guards
from chatproxy.web.answers import private
from chatproxy.web.current import directory, now, provider, services
from chatproxy.web.parsing import load, read_json

blueprint = Blueprint("imkit-verify", __name__)


@blueprint.post("")
def verify() -> Response:
    """Answer the client's id, nickname and picture; 401 for an invalid token."""
    # No key is needed: who has a valid token may know its owner.
    token = clienttokens.without_bearer(load(schemas.VerificationBody, read_json())["token"])

    try:
        owner = _owner(token)
    except TokenRejected as error:
        guards.count_rejected(token, error)
        raise

    return private(owner)


def _owner(token: str) -> dict[str, Any]:
    try:
        return _owner_body(directory().opaque_tokens.check(provider(IMKit).app, token).user)
    except TokenUnknown:
        if not provider(IMKit).verifies_all:
            raise

    return _owner_elsewhere(token)


def _owner_elsewhere(token: str) -> dict[str, Any]:
    # With IMKIT_VERIFY=all the tokens of other providers count too, if they are of this app.
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
            return _owner_body(user)

        if not issued.by_our_id:  # signed elsewhere with the same secret, for an unknown user
            return {"id": issued.user_id}

    raise TokenUnknown("Invalid token")


def _owner_body(user: User) -> dict[str, Any]:
    # The IMKit server overwrites its own values with those that are present.
    return without_none({"id": user.external_id, "nickname": user.name, "avatarUrl": user.image})
