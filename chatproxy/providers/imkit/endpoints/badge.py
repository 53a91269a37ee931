"""`/imkit/badge`: the badge service that an IMKit server asks, kept in the directory.

An object has `clientId`, `total`, and a count for each source: `badge`, `imkit`, and those
that were set. Source: the vendor's public sample, which asks for no key either, keeps its
counts in memory and takes any name as a source.
"""

from collections.abc import Sequence

from flask import Blueprint, Response

from chatproxy.errors import WrongMethod
from chatproxy.identity.records import Badge
from chatproxy.providers.imkit.endpoints import badgequery
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.shapes import BADGE_SOURCES, badge_of
from chatproxy.web import access
from chatproxy.web.answers import private, private_listing
from chatproxy.web.current import directory, provider

blueprint = Blueprint("imkit-badge", __name__)

ALLOWED = ("GET", "POST")
OTHERS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")


@blueprint.get("")
@blueprint.get("/", strict_slashes=True)  # `//` may be a client whose id is a slash
@access.shows(badgequery.ids_in_query)
def show_all() -> Response:
    """Answer the clients that `clientId` names, in their order, else the first 1,000 by id."""
    ids = badgequery.ids_in_query()
    access.acts_for(*ids) if ids else access.acts_for_all()
    badges, app = directory().badges(BADGE_SOURCES), provider(IMKit).app
    return _badges(badges.of(app, ids) if ids else badges.all(app))


@blueprint.post("")
@blueprint.post("/", strict_slashes=True)
def show_some() -> Response:
    """Answer the clients whose ids the body lists, in their order."""
    ids = badgequery.ids_in_body()
    access.acts_for(*ids)
    return _badges(directory().badges(BADGE_SOURCES).of(provider(IMKit).app, ids))


@blueprint.get("/<anything:client_id>")
def show(client_id: str) -> Response:  # noqa: ARG001 - read from the raw path
    """Answer one client. An unknown one has zeros, and unlike in the sample stays unknown."""
    client_ids = [badgequery.id_in_path()]
    access.acts_for(*client_ids)
    (badge,) = directory().badges(BADGE_SOURCES).of(provider(IMKit).app, client_ids)
    return private(badge_of(badge.client_id, badge.counts))


@blueprint.post("/<anything:client_id>")
def change(client_id: str) -> Response:  # noqa: ARG001 - read from the raw path
    """Set the count of one source, and answer the client."""
    named = badgequery.id_in_path()
    access.acts_for(named)
    source, count = badgequery.source_and_count()
    imkit = provider(IMKit)
    badge = (
        directory()
        .badges(BADGE_SOURCES)
        .set(imkit.app, named, source, count, most_clients=imkit.max_badge_clients)
    )
    return private(badge_of(badge.client_id, badge.counts))


@blueprint.route("", methods=OTHERS)
@blueprint.route("/<anything:client_id>", methods=OTHERS)
def refuse(client_id: str = "") -> Response:  # noqa: ARG001 - the same for every client
    """Refuse other methods."""
    # Without this route they would match `/imkit/<path>` and be forwarded to the IMKit server.
    raise WrongMethod("This method is not served here.", allowed=ALLOWED)


def _badges(badges: Sequence[Badge]) -> Response:
    return private_listing(badge_of(badge.client_id, badge.counts) for badge in badges)
