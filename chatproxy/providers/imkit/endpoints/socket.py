"""`/imkit/socket.io`: clients authenticate over a socket (see `providers/imkit/sockets`)."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, copy_current_request_context, request
from werkzeug.wsgi import ClosingIterator

from chatproxy.errors import CallerError, Forbidden, NotFound, NotServed
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.endpoints import clienttokens
from chatproxy.providers.imkit.provider import NO_SOCKETS, IMKit
from chatproxy.server.waits import WAITS
from chatproxy.services import Services
from chatproxy.web import current as current_request
from chatproxy.web.current import context, provider
from chatproxy.web.parsing import header
from chatproxy.web.relay import METHODS
from chatproxy.web.request_log import StartResponse
from chatproxy.web.same_origin import is_own

if TYPE_CHECKING:
    from chatproxy.providers.imkit.sockets.hub import Hub

PATHS = ("", "/<anything:path>")
NO_CONNECTION = "The socket needs the server that this is shipped with."


def blueprint(services: Services) -> Blueprint:
    """Make the blueprint. Its view owns the sockets of this worker."""
    made = Blueprint("imkit-socket", __name__)
    hub = _hub(services)

    def socket(path: str = "") -> Response:
        if hub is None:
            raise NotServed(NO_SOCKETS)

        if path:
            raise NotFound("Nothing is served at this path.")

        return _upgrade(hub)

    for path in PATHS:
        made.add_url_rule(path, view_func=socket, methods=METHODS)
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
    )


def _upgrade(hub: "Hub") -> Response:
    from chatproxy.providers.imkit.sockets.handshake import accept_token

    token = accept_token(request.environ)
    _check_origin()
    current, connection = context(), context().socket

    if connection is None:
        raise NotServed(NO_CONNECTION)

    authenticate = copy_current_request_context(_authenticate)

    def serve() -> None:
        current.notes["socket"] = {"endedBy": hub.serve(connection, authenticate)}

    # Released when the answer is closed, even if the client is gone before the first packet.
    hub.acquire_slot()
    return Upgraded(token, serve, hub.release_slot)


def _check_origin() -> None:
    # Browsers do not apply CORS to WebSockets, so the server has to (RFC 6455 section 10.2).
    # An app sends no origin. Some client libraries send the host that they call.
    origin, allowed = header("Origin"), provider(IMKit).allowed_origins

    if origin is None or "*" in allowed or origin in allowed:
        return

    if not is_own(origin, header("Host")):
        raise Forbidden("Pages of this origin may not open the socket.")


def _authenticate(text: str, device_id: str) -> Binding:
    # The token may be signed with a secret that came while the socket was open.
    current_request.services().renew()
    token = clienttokens.without_bearer(text)
    clienttokens.check_device_id("deviceId", device_id)

    try:
        bound = clienttokens.find(provider(IMKit).app, token)
    except CallerError as error:  # answered on the socket, not as the request's error
        context().count_refusal(error)
        raise

    user = clienttokens.note_seen(bound.user, device_id)
    return dataclasses.replace(bound, user=user)


class Upgraded(Response):
    """A 101 answer that then serves the socket on the same connection."""

    def __init__(self, token: str, serve: Callable[[], None], at_end: Callable[[], None]) -> None:
        super().__init__(status=101)
        self._token = token
        self._serve = serve
        self._at_end = at_end

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Send the head; the returned iterable ends when the socket does."""
        fields = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", self._token),
        ]
        start_response("101 Switching Protocols", fields)
        return ClosingIterator(self._serve_socket(), [self._at_end])

    def _serve_socket(self) -> Iterator[bytes]:
        yield b""  # gunicorn sends the head with the first piece
        self._serve()
