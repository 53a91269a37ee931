"""`/api/users/…`: what a service does with a user by its API key."""

import logging
from typing import Any
from urllib.parse import unquote

from flask import Blueprint, Response, request

from chatproxy.web.outbound import answer_of
from chatproxy.web.serving import context, directory, private, services
from chatproxy.errors import BadTarget, ChatproxyError, NotFound, UpstreamError
from chatproxy.identity.user import User
from chatproxy.providers.chatsdk.endpoints import access, api, schemas

log = logging.getLogger(__name__)

blueprint = Blueprint("chatsdk-users", __name__)
blueprint.after_request(api.cross_origin.mark)

PLACE = "/api/users/"


@blueprint.post("/api/users/ensure")
def ensure() -> Response:
    """Make or change a user without a token; 201 where it is new."""
    user_id, profile = schemas.load_profile()
    key = access.platform_key()
    user, action = directory().users.upsert(key.app_id, user_id, profile)
    made = {"created": action == "created", "updated": action == "updated"}
    body = {"action": action, **made, "user": _shown(user)}
    return private(body, 201 if action == "created" else 200)


@blueprint.post("/api/users/<anything:user_id>/revoke-tokens")
def revoke(user_id: str) -> Response:
    """End all tokens that the user has now, and its WebSockets."""
    named, reason = _named_user(2), schemas.load_reason()
    key = access.platform_key()

    if named is None or not directory().tokens.revoke_user(key.app_id, named):
        raise NotFound("User not found")

    log.info("tokens revoked", extra={"reqId": context().id, "keyId": key.id, "reason": reason})
    _disconnect(named)
    return private({"success": True, "revokedUserId": named})


@blueprint.get("/api/users/<anything:user_id>")
def show(user_id: str) -> Response:
    """Answer what is known of a user; without a key the call is the client's own, and forwarded."""
    if "X-API-Key" not in request.headers:
        return api.forwarded(user_id)

    named = _named_user(1)
    key = access.platform_key()
    user = None if named is None else directory().users.find(key.app_id, named)

    if user is None:
        raise NotFound("User not found")

    return private({"user": _shown(user)})


@blueprint.delete("/api/users/<anything:user_id>")
def delete(user_id: str) -> Response:
    """Forget a user, and end its tokens and WebSockets."""
    named = _named_user(1)

    if named is None and "X-API-Key" not in request.headers:
        return api.forwarded(user_id)

    key = access.platform_key()

    if named is None or not directory().tokens.revoke_user(key.app_id, named):
        raise NotFound("User not found")

    _disconnect(named)  # before the user is gone: where it fails, the call can be repeated
    directory().users.delete(key.app_id, named)
    return private({"success": True, "anonymizedUserId": named})


def _named_user(segments: int) -> str | None:
    """Return the id in the raw path, where so many segments follow; else None.

    Read from the raw form, so that an id may hold an encoded slash.
    """
    path = context().target.path.removeprefix(services().settings.service_prefix)
    named = path.removeprefix(PLACE).split("/")

    if len(named) != segments:
        return None

    try:
        return unquote(named[0], errors="strict")
    except UnicodeDecodeError as error:
        raise BadTarget("The user id in the path is not UTF-8.") from error


def _disconnect(user_id: str) -> None:
    """Have Centrifugo end the user's connections; raise `UpstreamError` where it did not.

    The tokens are dead by then, and asking again is harmless.
    """
    centrifugo = access.chatsdk().centrifugo
    peer = services().peers.get(centrifugo.name)

    if peer is None:
        return

    try:
        status, content = answer_of(peer, centrifugo.disconnect(user_id))
        fault = centrifugo.fault_in(status, content)
    except ChatproxyError as error:
        fault = error.detail or error.message

    if fault:
        raise UpstreamError(
            "The tokens are revoked, but Centrifugo could not be told to disconnect the user. "
            "Ask again.",
            detail=f"centrifugo: {fault}",
        )


def _shown(user: User) -> dict[str, Any]:
    """Return what is known of a user, fields without a value left out."""
    known = {
        "id": user.external_id,
        "name": user.name,
        "image": user.image,
        "email": user.email,
        "custom": user.custom,
    }
    return {name: value for name, value in known.items() if value is not None}
