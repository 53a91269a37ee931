"""`/imkit/socket.io`: where clients authenticate over a socket (see `providers/imkit/sockets`)."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, copy_current_request_context
from werkzeug.wsgi import ClosingIterator

from chatproxy.errors import CallerError, Forbidden, NotFound, NotServed, TokenRejected
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.endpoints import access
from chatproxy.providers.imkit.provider import NO_SOCKETS, IMKit
from chatproxy.services import Services
from chatproxy.web import guards
from chatproxy.web.current import context, directory, provider
from chatproxy.web.parsing import header
from chatproxy.web.relay import METHODS
from chatproxy.web.request_log import StartResponse

if TYPE_CHECKING:
    from chatproxy.providers.imkit.sockets.hub import Hub

PATHS = ("", "/<anything:path>")
NO_CONNECTION = "The socket needs the server that this is shipped with."


def blueprint(services: Services) -> Blueprint:
    """Make the surface; it holds the worker's sockets."""
    made = Blueprint("imkit-socket", __name__)
    hub = _hub(services)

    def socket(path: str = "") -> Response:
        if hub is None:
            raise NotServed(NO_SOCKETS)

        if path:
            raise NotFound("Nothing is served at this path.")

        return _upgraded(hub)

    for path in PATHS:
        made.add_url_rule(path, view_func=socket, methods=METHODS)
        # The router asks other rules where the request is one for a WebSocket.
        made.add_url_rule(path, view_func=socket, methods=["GET"], websocket=True)

    return made


def _hub(services: Services) -> "Hub | None":
    imkit = services.provider(IMKit)

    if not imkit.has_sockets or services.directory is None:
        return None

    # The library below it is an extra.
    from chatproxy.providers.imkit.sockets.hub import Hub

    return Hub(
        imkit.max_sockets,
        services.directory.opaque_tokens.still_valid,
        services.lifetime.is_over,
        services.clock.monotonic,
    )


def _upgraded(hub: "Hub") -> Response:
    """Answer a request for a socket; raise `CallerError`, `Forbidden`, `TooManySockets`."""
    from chatproxy.providers.imkit.sockets.handshake import accept_token

    token = accept_token(context().environ)
    _check_origin()
    current, connection = context(), context().socket

    if connection is None:
        raise NotServed(NO_CONNECTION)

    authenticate = copy_current_request_context(_authenticated)

    def serve() -> None:
        current.notes["socket"] = {"endedBy": hub.serve(connection, authenticate)}

    hub.take_place()
    return Upgraded(token, serve, hub.leave_place)


def _check_origin() -> None:
    """Refuse a page of another origin (RFC 6455 section 10.2).

    Who is no page names none, or, as some clients' libraries do, the host that it calls.
    """
    origin, allowed = header("Origin"), provider(IMKit).allowed_origins

    if origin is None or "*" in allowed or origin in allowed:
        return

    if origin.partition("://")[2] != header("Host"):
        raise Forbidden("Pages of this origin may not open the socket.")


def _authenticated(text: str, device_id: str) -> Binding:
    """Return whose token it is, and note that the client was seen; raise a `ChatproxyError`."""
    token = access.bare(text)

    if len(device_id) > access.LONGEST_DEVICE_ID or not device_id.isprintable():
        longest = access.LONGEST_DEVICE_ID
        raise CallerError(f"deviceId is at most {longest} printable characters.")

    try:
        bound = directory().opaque_tokens.check(provider(IMKit).app, token)
    except TokenRejected as error:
        guards.count_rejected(token, error)
        raise

    user = directory().users.seen(bound.user)

    if device_id:
        directory().devices.note(user.id, device_id)

    return dataclasses.replace(bound, user=user)


class Upgraded(Response):
    """Answers that the protocol changes, and then serves the socket on the same connection."""

    def __init__(
        self, token: str, serve: Callable[[], None], at_the_end: Callable[[], None]
    ) -> None:
        super().__init__(status=101)
        self._token = token
        self._serve = serve
        self._at_the_end = at_the_end

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Begin the answer. What it returns ends with the socket."""
        fields = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", self._token),
        ]
        start_response("101 Switching Protocols", fields)
        return ClosingIterator(self._pieces(), [self._at_the_end])

    def _pieces(self) -> Iterator[bytes]:
        yield b""  # so that the head goes out
        self._serve()
