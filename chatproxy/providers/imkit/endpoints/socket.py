"""`/imkit/socket.io`: clients authenticate over a socket (see `providers/imkit/sockets`)."""

from functools import partial
from typing import TYPE_CHECKING

from flask import Blueprint, Response, copy_current_request_context, request

from chatproxy.errors import Forbidden, NotFound, NotServed
from chatproxy.providers.imkit.endpoints import polled, relayed, signing_in
from chatproxy.providers.imkit.endpoints.forwarded import cross_origin
from chatproxy.providers.imkit.endpoints.upgraded import NO_CONNECTION, Upgraded
from chatproxy.providers.imkit.provider import NO_SOCKETS, IMKit
from chatproxy.providers.imkit.relaying.sightings import Sightings
from chatproxy.server.waits import WAITS
from chatproxy.services import Services
from chatproxy.web.current import context, provider
from chatproxy.web.parsing import header
from chatproxy.web.relay import METHODS
from chatproxy.web.same_origin import is_own

if TYPE_CHECKING:
    from chatproxy.providers.imkit.sockets.hub import Hub

PATHS = ("", "/<anything:path>")


def blueprint(services: Services) -> Blueprint:
    """Make the blueprint. Its view owns the sockets of this worker."""
    made = Blueprint("imkit-socket", __name__)
    hub, imkit = _hub(services), services.provider(IMKit)
    sightings = Sightings(services.clock.monotonic)

    def socket(path: str = "") -> Response:
        if hub is None:
            raise NotServed(NO_SOCKETS)

        if path:
            raise NotFound("Nothing is served at this path.")

        if imkit.relays_sockets and request.method == "OPTIONS":
            return cross_origin.preflight()

        _check_origin()

        if not imkit.relays_sockets:
            return _upgrade(hub)

        return relayed.open_tunnel(hub) if _asks_for_websocket() else polled.poll(hub, sightings)

    methods = (*METHODS, "OPTIONS") if imkit.relays_sockets else METHODS

    if imkit.relays_sockets:
        made.after_request(cross_origin.mark)

    for path in PATHS:
        made.add_url_rule(path, view_func=socket, methods=methods)
        # werkzeug matches a WebSocket request only with rules that say `websocket=True`.
        made.add_url_rule(path, view_func=socket, methods=["GET"], websocket=True)

    return made


def _hub(services: Services) -> "Hub | None":
    imkit = services.provider(IMKit)

    if not imkit.has_sockets or services.directory is None:
        return None

    # Imported here because wsproto comes with an extra, which may not be installed.
    from chatproxy.providers.imkit.sockets.hub import Hub

    return Hub(
        # Half of the worker's connections at most: sockets are no waits that end where connections
        # run short, and would leave no room for calls.
        min(imkit.max_sockets, max(1, WAITS.most // 2)),
        services.directory.opaque_tokens.still_valid,
        services.lifetime.is_over,
        services.clock.monotonic,
        tokens_of=partial(services.directory.sessions.tokens_of, imkit.app),
    )


def _upgrade(hub: "Hub") -> Response:
    from chatproxy.providers.imkit.sockets.handshake import accept_token

    token = accept_token(request.environ)
    current, connection = context(), context().socket

    if connection is None:
        raise NotServed(NO_CONNECTION)

    authenticate = copy_current_request_context(signing_in.sign_in)

    def serve() -> None:
        current.notes["socket"] = {"endedBy": hub.serve(connection, authenticate)}

    # Released when the answer is closed, even if the client is gone before the first packet.
    hub.acquire_slot()
    return Upgraded(token, serve, hub.release_slot)


def _asks_for_websocket() -> bool:
    return "websocket" in request.environ.get("HTTP_UPGRADE", "").lower()


def _check_origin() -> None:
    # Browsers do not apply CORS to WebSockets, so the server has to (RFC 6455 section 10.2).
    # An app sends no origin. Some client libraries send the host that they call.
    origin, allowed = header("Origin"), provider(IMKit).allowed_origins

    if origin is None or "*" in allowed or origin in allowed:
        return

    if not is_own(origin, header("Host")):
        raise Forbidden("Pages of this origin may not open the socket.")
