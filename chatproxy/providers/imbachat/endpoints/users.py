"""What imbachat.com asks of a site: who are these users, and whom does a text find?"""

from flask import Blueprint, Response

from chatproxy.providers.imbachat import shapes, userids
from chatproxy.providers.imbachat.errors import VERSION
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.web.answers import private
from chatproxy.web.current import directory, provider
from chatproxy.web.parsing import query_values

blueprint = Blueprint("imbachat-users", __name__)

#: Query fields that may hold ids: the page's own, and that of the OpenCart plugin.
LISTS = ("user_ids", "ids")

MOST_HITS = 50


@blueprint.get("/users")
@blueprint.get("/users/<anything:ids>")
@blueprint.get("/api/v1/users")
@blueprint.get("/api/v1/users/<anything:ids>")
def info(ids: str = "") -> Response:
    """Answer what is known of the users with these ids, in their order, as a bare array.

    All places that may hold ids are read. A slash at either end of the path's comes from
    how the URL was put together.
    """
    lists = [ids.strip("/"), *(one for name in LISTS for one in query_values(name))]
    wanted = userids.read_lists(lists)
    found = directory().users.find_many(provider(ImbaChat).app, wanted)
    return private([shapes.info(found[user_id]) for user_id in wanted if user_id in found])


@blueprint.get("/api/v1/search/<anything:key>")
def search(key: str) -> Response:
    """Answer the users whose name or id holds the text."""
    app, text = provider(ImbaChat).app, key.strip()
    found = directory().user_search.by_text(app, text, MOST_HITS, numbers_only=True)
    hits = [shapes.hit(user) for user in found if userids.is_user_id(user.external_id)]
    return private({"code": 200, "version": VERSION, "data": hits})
