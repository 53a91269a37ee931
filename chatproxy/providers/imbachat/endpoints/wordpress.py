"""The search and the friends of the vendor's plugin for WordPress, below `/imbachat/v1`.

Its users info is in `users`, since the answer is the same.
"""

from flask import Blueprint, Response

from chatproxy.providers.imbachat import shapes, userids
from chatproxy.providers.imbachat.endpoints.users import MOST_HITS, found, infos
from chatproxy.providers.imbachat.errors import VERSION
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.web.answers import private, private_listing
from chatproxy.web.current import directory, provider

blueprint = Blueprint("imbachat-wordpress", __name__)

#: What the plugin answers where the site knows of no friends. The HTTP status is 200.
NO_FRIENDS = {
    "code": 422,
    "version": VERSION,
    "error": "Friends are not available!",
    "debug": "",
}


@blueprint.post("/searchusers/<anything:text>")
def search(text: str) -> Response:
    """Answer the users whose name or id contains the text, in which `_` is a space."""
    return _hits(text.replace("_", " "))


@blueprint.get("/searchusers/<anything:text>")
def plain_search(text: str) -> Response:
    """Answer the same for LiveStreet's plugin, in whose texts `_` is a character like any other."""
    return _hits(text)


@blueprint.get("/user/friends/<anything:user_id>")
def friends(user_id: str) -> Response:
    """Answer users info of the friends of a user."""
    one = provider(ImbaChat)

    if not one.has_friends:
        return private(NO_FRIENDS)

    ids = [user_id] if userids.is_user_id(user_id) else []
    owner = directory().users.find_many(one.app, ids).get(user_id)
    return private_listing(infos([] if owner is None else shapes.friends_of(owner)))


def _hits(text: str) -> Response:
    return private([shapes.named(user) for user in found(text, MOST_HITS)])
