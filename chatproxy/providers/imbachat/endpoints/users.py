"""What imbachat.com asks a site: the users with these ids, and a search for users."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response

from chatproxy.providers.imbachat import shapes, userids
from chatproxy.providers.imbachat.errors import VERSION
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.web.answers import private, private_listing
from chatproxy.web.current import directory, provider
from chatproxy.web.parsing import query_values

blueprint = Blueprint("imbachat-users", __name__)

#: Query fields for ids: that of the vendor's page, and that of its OpenCart plugin.
LISTS = ("user_ids", "ids")

#: The vendor documents no limit. A search for one letter must not answer the whole directory.
MOST_HITS = 50

#: Users that one statement reads.
AT_ONCE = 500


@blueprint.get("/users")
@blueprint.get("/users/<anything:ids>")
@blueprint.get("/api/v1/users")
@blueprint.get("/api/v1/users/<anything:ids>")
def info(ids: str = "") -> Response:
    """Answer the users with these ids, in that order, as a bare array."""
    # How imbachat.com joins the ids to the registered URL is not documented, so every place
    # that a plugin uses is read, and slashes around the ids are dropped.
    lists = [ids.strip("/"), *(one for name in LISTS for one in query_values(name))]
    ids_in_order = userids.read_lists(lists)
    return private_listing(_infos(ids_in_order))


def _infos(ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    # Some at a time: a target has room for thousands of ids, and each user for 64 KiB of metadata.
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        found = directory().users.find_many(provider(ImbaChat).app, some)
        yield from (shapes.info(found[user_id]) for user_id in some if user_id in found)


@blueprint.get("/api/v1/search/<anything:key>")
def search(key: str) -> Response:
    """Answer the users whose name or id contains the text."""
    app, text = provider(ImbaChat).app, key.strip()
    found = directory().user_search.by_text(app, text, MOST_HITS, numbers_only=True)
    hits = [shapes.hit(user) for user in found if userids.is_user_id(user.external_id)]
    return private({"code": 200, "version": VERSION, "data": hits})
