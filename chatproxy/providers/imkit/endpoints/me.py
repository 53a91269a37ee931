"""`/imkit/me`: what a client asks and says of itself."""

from flask import Blueprint, Response

from chatproxy.identity.records import User
from chatproxy.providers.imkit.endpoints import access, changes, forwarded, schemas
from chatproxy.providers.imkit.errors import InvalidRoomTags
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.shapes import BADGE_SOURCES, client_of, envelope
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, context, directory, services
from chatproxy.web.parsing import load, query_values, read_json

blueprint = Blueprint("imkit-me", __name__)
unread = Blueprint("imkit-me-badge", __name__)
blueprint.after_request(forwarded.cross_origin.mark)
unread.after_request(forwarded.cross_origin.mark)

LONGEST_TAG = 255


@blueprint.get("")
def show() -> Response:
    """Answer the client."""
    return private(envelope(client_of(authenticated(User))))


@blueprint.post("")
def change() -> Response:
    """Change the client's profile."""
    profile = load(schemas.ProfileFields(), read_json())["profile"]
    return private(envelope(client_of(changes.change_client(authenticated(User), profile))))


def who_asks_for_badge() -> User | access.Client | None:
    """Return whom the question is about, or who asks the IMKit server; tags are checked first."""
    tags = query_values("roomTags")

    if not all(tag and tag.isprintable() and len(tag) <= LONGEST_TAG for tag in tags):
        raise InvalidRoomTags("roomTags are texts that are not empty.")

    return access.caller() if _has_server() else access.acting_user()


@unread.get("")
def badge() -> Response:
    """Answer how much is unread: by the IMKit server, which knows the rooms, else by the badges."""
    if _has_server():
        return forwarded.hand_on(context().authenticated)

    user = authenticated(User)

    if query_values("roomTags"):
        raise InvalidRoomTags("roomTags need an IMKit server, which knows the rooms.")

    total = directory().badges(BADGE_SOURCES).total(user.app_id, user.external_id)
    return private(envelope({"badge": total}))


def _has_server() -> bool:
    return services().backends[IMKit.name].peer is not None
