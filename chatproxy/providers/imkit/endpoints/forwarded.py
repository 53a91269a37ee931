"""Every other path below `/imkit`: the caller is checked here, and the call handed on."""

from flask import Blueprint, Response

from chatproxy.web.cors import CrossOrigin
from chatproxy.web.relay import METHODS, relayed
from chatproxy.web.serving import context, services
from chatproxy.errors import NotFound
from chatproxy.providers.imkit.endpoints import access
from chatproxy.providers.imkit.errors import PermissionDenied
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.paths import folded_segments

blueprint = Blueprint("imkit-forwarded", __name__)

#: Below these nothing is an IMKit server's.
SERVED_HERE = frozenset({"badge", "verify", "socket.io"})
FOR_PLATFORMS = frozenset({"admin"})

#: No page may call these: the proxy lets everybody be the platform.
NOT_FOR_PAGES = SERVED_HERE | FOR_PLATFORMS | {"proxy"}

#: What a page may send: all names by which IMKit's callers show who they are.
FIELDS = (
    "Origin, X-Requested-With, Content-Type, Accept, Authorization, IM-Authorization, "
    "IM-Client-Key, IM-API-KEY, IM-Device-ID, IM-CLIENT-ID, CLIENT_KEY, API_KEY"
)

cross_origin = CrossOrigin(lambda: access.imkit().allowed_origins, FIELDS)


@blueprint.after_request
def _mark(answer: Response) -> Response:
    """Say which pages may read it, where it is a client's call at all."""
    return answer if _first_segment() in NOT_FOR_PAGES else cross_origin.mark(answer)


@blueprint.route("/imkit/<anything:path>", methods=METHODS)
def forwarded(path: str) -> Response:  # noqa: ARG001 - the raw target is forwarded, not this
    """Hand a call on: a platform's with the real key, a client's with its token and its id."""
    mount = f"{services().settings.service_prefix}/imkit"
    first = _first_segment()

    if first in SERVED_HERE:
        raise NotFound("Nothing is served at this path.")

    if first in FOR_PLATFORMS:
        access.platform()
        return relayed(services().routes[IMKit.name], mount)

    client = access.caller()

    if client is None:
        return relayed(services().routes[IMKit.name], mount)

    client_id = client.bound.user.external_id
    credentials = access.imkit().for_client(client_id, client.token, legacy=client.legacy)
    return relayed(services().routes[IMKit.name], mount, credentials)


@blueprint.route("/imkit/<anything:path>", methods=["OPTIONS"])
def preflight(path: str) -> Response:  # noqa: ARG001 - all client calls are alike
    """Answer a browser that asks whether a page may make a client call."""
    if _first_segment() in NOT_FOR_PAGES:
        raise PermissionDenied("This is not for pages.")

    return cross_origin.preflight()


def _first_segment() -> str:
    """Return the first name below `/imkit`, as the most lenient server would read it."""
    mount = f"{services().settings.service_prefix}/imkit"
    return next(iter(folded_segments(context().target.path.removeprefix(mount))), "")
