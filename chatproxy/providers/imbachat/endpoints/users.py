"""What imbachat.com asks a site: the users with these ids, and a search for users.

The path tells which of the vendor's plugins a site stands in for, and so the form of an answer.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import CallerError
from chatproxy.identity.records import User
from chatproxy.providers.imbachat import shapes, userids
from chatproxy.providers.imbachat.errors import VERSION
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.web.answers import private, private_listing
from chatproxy.web.current import directory, provider
from chatproxy.web.parsing import query_values

blueprint = Blueprint("imbachat-users", __name__)

#: Query fields for ids: that of the vendor's page, and that of its OpenCart plugin.
LISTS = ("user_ids", "ids")

#: Query field of OpenCart's search, which is at the address of users info.
TEXT = "str"
NOT_BOTH = f"Ask for users by their ids, or for one user by `{TEXT}`."
ONE_TEXT = f"`{TEXT}` must be there once."

#: What OpenCart's plugin answers where nobody is found.
NOBODY = {"user_id": None, "name": None}

#: The vendor documents no limit. A search for one letter must not answer the whole directory.
MOST_HITS = 50

#: Users that one statement reads.
AT_ONCE = 500


@blueprint.get("/users")
@blueprint.get("/users/<anything:ids>")
@blueprint.get("/api/v1/users")
@blueprint.get("/api/v1/users/<anything:ids>")
@blueprint.get("/v1/getusers/<anything:ids>")
def info(ids: str = "") -> Response:
    """Answer the users with these ids, in that order, as a bare array; or OpenCart's search."""
    # How imbachat.com joins the ids to the registered URL is not documented, so every place
    # that a plugin uses is read, and slashes around the ids are dropped.
    lists = [ids.strip("/"), *(one for name in LISTS for one in query_values(name))]
    texts = query_values(TEXT)

    if texts:
        return private(_first_hit(texts, lists))

    return private_listing(infos(userids.read_lists(lists)))


def infos(ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield users info for those of the ids that are known, in their order."""
    # Some at a time: a target has room for thousands of ids, and each user for 64 KiB of metadata.
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        found = directory().users.find_many(provider(ImbaChat).app, some)
        yield from (shapes.info(found[user_id]) for user_id in some if user_id in found)


@blueprint.get("/api/v1/search/<anything:key>")
def search(key: str) -> Response:
    """Answer the users whose name or id contains the text."""
    hits = [shapes.hit(user) for user in found(key, MOST_HITS)]
    # October's plugin leaves `data` out where nobody is found.
    return private({"code": 200, "version": VERSION} | ({"data": hits} if hits else {}))


def found(text: str, most: int) -> list[User]:
    """Return the users whose name or id contains the text; the one with that id is first."""
    app = provider(ImbaChat).app
    users = directory().user_search.by_text(app, text.strip(), most, numbers_only=True)
    return [user for user in users if userids.is_user_id(user.external_id)]


def _first_hit(texts: Sequence[str], lists: Sequence[str]) -> dict[str, Any]:
    if any(lists):
        raise CallerError(NOT_BOTH)

    if len(texts) > 1:
        raise CallerError(ONE_TEXT)

    return next((shapes.named(user) for user in found(texts[0], MOST_HITS)), NOBODY)
