"""Every other path below `/imkit`: forwarded to the IMKit server."""

from flask import Blueprint, Response

from chatproxy.errors import BadTarget
from chatproxy.providers.imkit.endpoints.access import (
    FOR_SERVICES,
    SERVED_HERE,
    Client,
    check_door,
)
from chatproxy.providers.imkit.endpoints.paths import is_below
from chatproxy.providers.imkit.errors import PermissionDenied
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.web.cors import CrossOrigin
from chatproxy.web.current import context, provider, services
from chatproxy.web.parsing import header
from chatproxy.web.relay import METHODS, relay

blueprint = Blueprint("imkit-forwarded", __name__)
preflight = Blueprint("imkit-preflight", __name__)

#: Never for pages of a browser.
NOT_FOR_PAGES = SERVED_HERE | FOR_SERVICES

#: Headers that a page may send. The vendor's samples list only the deprecated names.
HEADERS = (
    "Origin, X-Requested-With, Content-Type, Accept, Authorization, IM-Authorization, "
    "IM-Client-Key, IM-API-KEY, IM-Device-ID, IM-CLIENT-ID, CLIENT_KEY, API_KEY"
)

cross_origin = CrossOrigin(lambda: provider(IMKit).allowed_origins, HEADERS)


def is_for_pages() -> bool:
    """Say whether pages of a browser may make the call."""
    # Asked for the answer to a bad path, too.
    try:
        return not is_below(NOT_FOR_PAGES)
    except BadTarget:
        return False


@preflight.after_request
@blueprint.after_request
def _mark(answer: Response) -> Response:
    return cross_origin.mark(answer) if is_for_pages() else answer


@blueprint.route("/<anything:path>", methods=METHODS)
def forwarded(path: str) -> Response:  # noqa: ARG001 - the raw target is forwarded, not this
    """Forward a call: a platform's with the real key, a client's with its token and id."""
    return forward(context().authenticated)


@preflight.route("/<anything:path>", methods=["OPTIONS"])
def allow(path: str) -> Response:  # noqa: ARG001 - all client calls are alike
    """Answer a browser's preflight request."""
    check_door()

    if not is_for_pages():
        raise PermissionDenied("This is not for pages.")

    return cross_origin.preflight()


def forward(client: Client | None) -> Response:
    """Forward the call of a client, or of a platform if it is None."""
    backend, mount = services().backends[IMKit.name], f"{services().settings.service_prefix}/imkit"

    if client is None:
        client_id = header("IM-CLIENT-ID")
        return relay(backend, mount, provider(IMKit).for_platform(client_id) if client_id else None)

    client_id = client.bound.user.external_id
    credentials = provider(IMKit).for_client(client_id, client.token, legacy=client.legacy)
    return relay(backend, mount, credentials)
