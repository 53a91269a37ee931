"""`/imkit/me`: what a client asks and says of itself."""

from flask import Blueprint, Response, request

from chatproxy.web.serving import directory, load, private, read_json, services
from chatproxy.providers.imkit.endpoints import access, changes, forwarded, schemas
from chatproxy.providers.imkit.errors import InvalidRoomTags
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.shapes import client_of, envelope

blueprint = Blueprint("imkit-me", __name__)
blueprint.after_request(forwarded.cross_origin.mark)

LONGEST_TAG = 255


@blueprint.get("/imkit/me")
def show() -> Response:
    """Answer the client."""
    return private(envelope(client_of(access.acting_user())))


@blueprint.post("/imkit/me")
def change() -> Response:
    """Change the client's profile."""
    user = access.acting_user()
    profile = load(schemas.ProfileFields(), read_json())["profile"]
    return private(envelope(client_of(changes.change_client(user, profile))))


@blueprint.get("/imkit/me/badge")
def badge() -> Response:
    """Answer how much is unread: by the IMKit server, which knows the rooms, else by the badges."""
    tags = request.args.getlist("roomTags")

    if not all(tag and tag.isprintable() and len(tag) <= LONGEST_TAG for tag in tags):
        raise InvalidRoomTags("roomTags are texts that are not empty.")

    if services().routes[IMKit.name].peer is not None:
        return forwarded.forwarded("me/badge")

    user = access.acting_user()

    if tags:
        raise InvalidRoomTags("roomTags need an IMKit server, which knows the rooms.")

    total = directory().badges.total(user.app_id, user.external_id)
    return private(envelope({"badge": total}))
