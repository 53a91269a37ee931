"""`/imkit/me`: a client's own profile and badge."""

from flask import Blueprint, Response

from chatproxy.identity.records import User
from chatproxy.providers.imkit.endpoints import access, forwarded, schemas
from chatproxy.providers.imkit.endpoints.changing import changes, has_server
from chatproxy.providers.imkit.errors import InvalidRoomTags
from chatproxy.providers.imkit.shapes import BADGE_SOURCES, client_of, envelope
from chatproxy.web import access as document
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, context, directory
from chatproxy.web.parsing import header_text, load, query_values, read_json

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
    """Update the client's profile."""
    profile = load(schemas.ProfileFields, read_json())["profile"]
    return private(envelope(client_of(changes().change_client(authenticated(User), profile))))


def _named() -> list[str]:
    client_id = header_text("IM-CLIENT-ID")
    return [client_id] if client_id else []


def badge_caller() -> User | access.Client | None:
    """Check the tags; let in the caller, or the user concerned if nothing is forwarded."""
    tags = query_values("roomTags")

    if not all(tag and tag.isprintable() and len(tag) <= LONGEST_TAG for tag in tags):
        raise InvalidRoomTags("roomTags are texts that are not empty.")

    if not has_server():
        return access.acting_user()

    found = access.caller()

    # A platform's call is forwarded, with the client that it names or for all of them.
    if found is None and (named := _named()):
        document.acts_for(*named)
    elif found is None:
        document.acts_for_all()

    return found


@unread.get("")
@document.shows(_named)
def badge() -> Response:
    """Answer how much is unread: from the IMKit server, or from the badges kept here."""
    if has_server():
        return forwarded.forward(context().authenticated)

    user = authenticated(User)

    if query_values("roomTags"):
        raise InvalidRoomTags("roomTags need an IMKit server, which knows the rooms.")

    total = directory().badges(BADGE_SOURCES).total(user.app_id, user.external_id)
    return private(envelope({"badge": total}))
