"""`/api/users/…`: what a service may do with users."""

import logging
from typing import Any

from flask import Blueprint, Response, request

from chatproxy.errors import NotFound
from chatproxy.formats.objects import without_none
from chatproxy.identity.records import User
from chatproxy.metrics.table import TOKENS_REVOKED
from chatproxy.providers.chatsdk.endpoints import api, schemas
from chatproxy.providers.chatsdk.endpoints.access import Client, PlatformKey, Service, rest_token
from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.web import access
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, context, directory, provider, serves, services
from chatproxy.web.parsing import decoded_id, header, segments_below

log = logging.getLogger(__name__)

ensuring = Blueprint("chatsdk-ensuring", __name__)
revocation = Blueprint("chatsdk-revocation", __name__)
single = Blueprint("chatsdk-user", __name__)

for one in (ensuring, revocation, single):
    one.after_request(api.cross_origin.mark)

PLACE = "/api/users/"


def service_or_client() -> Service | Client:
    """Let in a service by its key. Without a key it is a client's call, to be forwarded.

    Deleting a user always needs a key, as at the vendor. Clients with a door of their own have
    their calls forwarded there.
    """
    return PlatformKey(named_user)() if is_for_services() else rest_token()


def is_for_services() -> bool:
    """Say whether the call is one that a service makes."""
    is_client = header("X-API-Key") is None and serves("client")
    is_deletion = request.method == "DELETE" and named_user() is not None
    return is_deletion or not is_client


def named_user(segments: int = 1) -> str | None:
    """Return the id in the raw path if the path has that many segments, else None."""
    # The router has decoded the path, so an id with an encoded slash would look like two.
    named = segments_below(PLACE)
    return decoded_id(named[0], "user") if len(named) == segments else None


def requested_revocation() -> tuple[str | None, str]:
    """Read whose tokens are to be revoked, and why."""
    return named_user(2), schemas.revocation_reason()


@ensuring.post("")
def ensure() -> Response:
    """Create or update a user without issuing a token; 201 for a new one."""
    service = authenticated(Service)
    user_id, profile = service.requested
    access.acts_for(user_id)
    app, known = service.key.app_id, service.user
    user, action = directory().users.upsert(app, user_id, profile, known=known)
    made = {"created": action == "created", "updated": action == "updated"}
    body = {"action": action, **made, "user": _user_body(user)}
    return private(body, 201 if action == "created" else 200)


@revocation.post("")
def revoke(user_id: str) -> Response:  # noqa: ARG001 - read from the raw path
    """Revoke all tokens that the user has now, and close its WebSockets."""
    service = authenticated(Service)
    key, (named, reason) = service.key, service.requested
    _check_access(named)

    if named is None or not directory().tokens.revoke_user(key.app_id, named):
        raise NotFound("User not found")

    TOKENS_REVOKED.add(ChatSDK.name)
    log.info("tokens revoked", extra={"keyId": key.id, "reason": reason})
    _disconnect(key.app_id, named)
    return private({"success": True, "revokedUserId": named})


@single.get("")
def show(user_id: str) -> Response:
    """Answer what is known about a user."""
    if isinstance(context().authenticated, Client):
        return api.forwarded(user_id)

    service = authenticated(Service)
    app_id, named = service.key.app_id, service.requested
    _check_access(named)
    user = None if named is None else directory().users.find(app_id, named)

    if user is None:
        raise NotFound("User not found")

    return private({"user": _user_body(user)})


@single.delete("")
def delete(user_id: str) -> Response:
    """Delete a user, revoke its tokens and close its WebSockets."""
    if isinstance(context().authenticated, Client):
        return api.forwarded(user_id)

    service = authenticated(Service)
    app_id, named = service.key.app_id, service.requested
    _check_access(named)

    if named is None or not directory().tokens.revoke_user(app_id, named):
        raise NotFound("User not found")

    TOKENS_REVOKED.add(ChatSDK.name)
    # The user is deleted last: if Centrifugo fails, the caller can repeat the request.
    _disconnect(app_id, named)
    directory().users.delete(app_id, named)
    return private({"success": True, "anonymizedUserId": named})


def _check_access(named: str | None) -> None:
    # Where the path names nobody, nobody is found.
    if named is not None:
        access.acts_for(named)


def _disconnect(app_id: str, user_id: str) -> None:
    """Close the user's connections; raise `UpstreamError` if that fails."""
    centrifugo = provider(ChatSDK).centrifugo
    peer = services().peers.get(centrifugo.name)

    if peer is not None:
        centrifugo.end_connections(peer.ask, app_id, user_id)


def _user_body(user: User) -> dict[str, Any]:
    return without_none(
        {
            "id": user.external_id,
            "name": user.name,
            "image": user.image,
            "email": user.email,
            "custom": user.custom,
        }
    )
