"""Telling the IMKit server about a change of a client or a token, if there is a server."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from chatproxy.errors import Conflict, UpstreamError
from chatproxy.identity.records import Profile
from chatproxy.identity.token_records import OpaqueToken
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.shapes import client_body, token_of
from chatproxy.web.current import provider, services

CLIENTS = "/admin/clients"
BOUND_ELSEWHERE = "Token is bound to another client"


def is_configured() -> bool:
    """Return whether there is a server."""
    return services().backends[IMKit.name].peer is not None


def put_client(client_id: str, profile: Profile, token: OpaqueToken | None = None) -> None:
    """Create or update a client there, perhaps with a token; raise `Conflict`, `UpstreamError`."""
    bound = {} if token is None else token_of(token)
    _send("POST", CLIENTS, client_body(client_id, profile) | bound)


def put_clients(profiles: Mapping[str, Profile]) -> None:
    """Create or update many clients there; raise `UpstreamError`."""
    _send("POST", f"{CLIENTS}/list", {"data": [client_body(*one) for one in profiles.items()]})


def end_tokens(client_id: str, token: str | None) -> bool:
    """End one token of a client there, or all; return whether the server knew it.

    Raises `UpstreamError`.
    """
    path = f"{CLIENTS}/{quote(client_id, safe='')}/token"
    return _send("DELETE", path, {} if token is None else {"token": token}, may_be_missing=True)


def _send(
    method: str, path: str, document: Mapping[str, Any], *, may_be_missing: bool = False
) -> bool:
    """Send a change; return whether the server has what it is about.

    Raises `Conflict` if the server knows the token as another client's, else `UpstreamError`.
    """
    peer = services().backends[IMKit.name].peer

    if peer is None:
        return False

    try:
        status, content = peer.ask(provider(IMKit).change(method, path, document))
    except UpstreamError as error:
        raise UpstreamError(
            "The IMKit server could not be told of the change. Nothing was changed.",
            detail=f"imkit: {error.detail or error.message}",
        ) from error

    if status == 404 and may_be_missing:
        return False

    if status == 409:
        raise Conflict(BOUND_ELSEWHERE)

    if not 200 <= status < 300 or not _is_success(content):
        raise UpstreamError(
            "The IMKit server refused the change. Nothing was changed.",
            detail=f"imkit: answered {status}",
        )

    return True


def _is_success(content: bytes) -> bool:
    # The vendor's own clients look at `RC` and ignore an answer without it.
    try:
        return bool(json.loads(content)["RC"] == 0)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
