"""`/imkit/socket.io` where it leads to the IMKit server (see `providers/imkit/relaying`)."""

import contextlib
import dataclasses
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Response, copy_current_request_context, request

from chatproxy.errors import NotServed, UpstreamBroken
from chatproxy.forwarding import Switched
from chatproxy.forwarding.credentials import Credentials
from chatproxy.forwarding.headers import value_of
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.endpoints import access, clienttokens, signing_in
from chatproxy.providers.imkit.endpoints.upgraded import NO_CONNECTION, Upgraded
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.relaying.opening import Presented, only_one
from chatproxy.web.current import context, directory, provider, services
from chatproxy.web.parsing import header
from chatproxy.web.relay import switch

if TYPE_CHECKING:
    from chatproxy.providers.imkit.sockets.hub import Hub

#: No extension is negotiated, such as compression: a client's messages have to be read.
DROPPED = frozenset({"sec-websocket-extensions"})
PROTOCOL = "Sec-WebSocket-Protocol"


@dataclasses.dataclass(frozen=True)
class Opened:
    """What a request for a socket shows: its client, if it shows a token, and our credentials."""

    bound: Binding | None
    credentials: Credentials


def open_tunnel(hub: "Hub") -> Response:
    """Answer a WebSocket's handshake with the server's, and carry messages from then on."""
    from chatproxy.providers.imkit.sockets.handshake import accept_token

    accept = accept_token(request.environ, relayed=True)
    connection, opened = context().socket, look()

    if connection is None:
        raise NotServed(NO_CONNECTION)

    with contextlib.ExitStack() as at_end:
        hub.acquire_slot()
        at_end.callback(hub.release_slot)
        backend = services().backends[IMKit.name]
        found = switch(backend, mount(), "websocket", opened.credentials, DROPPED)

        if not isinstance(found, Switched):
            return found

        at_end.callback(found.connection.close)
        _check(found, accept)
        serve = _serving(hub, connection, found, opened)
        chosen = value_of(found.fields, PROTOCOL.lower())
        further = [] if chosen is None else [(PROTOCOL, chosen)]
        # Also if the caller is gone before the first packet.
        return Upgraded(accept, serve, at_end.pop_all().close, further)


def _serving(
    hub: "Hub", connection: socket.socket, found: Switched, opened: Opened
) -> Callable[[], None]:
    from chatproxy.providers.imkit.relaying.speech import Speech
    from chatproxy.providers.imkit.relaying.tunnel import Client, Server, Times, Tunnel

    current, monotonic = context(), services().clock.monotonic
    sign_in = copy_current_request_context(signing_in.sign_in)
    check_key = copy_current_request_context(signing_in.check_client_key)
    longest = services().settings.max_body_bytes
    client_key = provider(IMKit).client_key
    upstream, arrived = found.connection.switched()

    session = _session()

    def serve() -> None:
        tunnel = Tunnel(
            Client(connection, monotonic),
            Server(upstream, monotonic, arrived),
            Speech(sign_in, check_key, client_key, opened.bound),
            monotonic,
            Times(),
            longest,
            session,
        )
        ended_by = hub.hold(tunnel)
        current.notes["socket"] = {"endedBy": ended_by, **tunnel.carried()}

    return serve


def _check(found: Switched, accept: str) -> None:
    # RFC 6455 section 4.1: anything else has not understood, or has compressed what nobody here
    # could read.
    if (
        value_of(found.fields, "sec-websocket-accept") != accept
        or value_of(found.fields, "sec-websocket-extensions")
        or (value_of(found.fields, "upgrade") or "").lower() != "websocket"
    ):
        raise UpstreamBroken(
            "The IMKit server's answer to the handshake is not valid.", answer_begun=True
        )


def _session() -> str | None:
    # By what the directory knows a session that began with polling.
    found = Presented.only("sid", context().target.query)
    return None if found is None else directory().sessions.name_of(found)


def mount() -> str:
    """Return the path that stands for the server's base URL."""
    return f"{services().settings.service_prefix}/imkit"


def look() -> Opened:
    """Check the credentials in a request; raise what the checks do."""
    found, shown = provider(IMKit), Presented.in_query(context().target.query)

    for key in [text for _, text in shown.client_keys] + _given("IM-Client-Key", "CLIENT_KEY"):
        access.check_client_key(key)

    texts = [text for _, text in shown.tokens] + _given("IM-Authorization")
    token = only_one([clienttokens.without_bearer(one) for one in texts])
    bound = None if token is None else signing_in.sign_in(token, "")
    client_id = None if bound is None else bound.user.external_id
    query = shown.replaced(token, found.client_key)
    return Opened(bound, found.for_socket(query, shown.reserved(), client_id, token))


def _given(*names: str) -> list[str]:
    return [text for text in map(header, names) if text is not None]
