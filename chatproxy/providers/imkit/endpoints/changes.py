"""Changes of clients and tokens: told to the IMKit server first, then kept here.

An IMKit server finds a token by look-up, so it has to know of each. Where it fails, nothing
is kept here; where keeping fails afterwards, a new token is taken back there.
"""

import json
import logging
from collections.abc import Mapping
from typing import Any

from chatproxy.endpoints.asking import answer_of
from chatproxy.endpoints.serving import context, directory, services
from chatproxy.errors import ChatproxyError, Conflict, UpstreamError
from chatproxy.identity.boundtexts import BoundText
from chatproxy.identity.user import Profile, User
from chatproxy.providers.imkit.endpoints.access import imkit
from chatproxy.providers.imkit.endpoints.paths import clients_token_path
from chatproxy.providers.imkit.errors import ClientNotFound, TokenNotFound
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.shapes import told
from chatproxy.timestamps import iso

log = logging.getLogger(__name__)

CLIENTS = "/admin/clients"
BOUND_ELSEWHERE = "Token is bound to another client"
NO_CLIENT = "Client not found"


def put_client(client_id: str, profile: Profile, *, seen: bool = False) -> User:
    """Make or change a client without touching its tokens."""
    _tell("POST", CLIENTS, told(client_id, profile))
    user, _ = directory().users.upsert(imkit().app, client_id, profile, seen=seen)
    return user


def put_clients(profiles: Mapping[str, Profile]) -> None:
    """Make or change many clients, all or none."""
    _tell("POST", f"{CLIENTS}/list", {"data": [told(*one) for one in profiles.items()]})
    directory().users.upsert_many(imkit().app, profiles)


def bind(client_id: str, token: BoundText, profile: Profile | None = None) -> User:
    """Bind a token to a client, which a profile makes or changes on the way.

    Raises `ClientNotFound` without either, `Conflict` where the token is another client's,
    `UpstreamError`.
    """
    app, known = imkit().app, directory().bound

    if profile is None and directory().users.find(app, client_id) is None:
        raise ClientNotFound(NO_CLIENT)

    owner = known.owner(app, token.text)

    if owner not in (None, client_id):
        raise Conflict(BOUND_ELSEWHERE)

    end = {"token": token.text, "expirationDate": iso(token.expires)}

    try:
        _tell("POST", CLIENTS, told(client_id, profile or Profile()) | end)
        _end_replaced(client_id, token)
        user = known.bind(app, client_id, token, profile)

        if user is None:  # deleted meanwhile
            raise ClientNotFound(NO_CLIENT)
    except ChatproxyError:
        if owner is None:
            _take_back(client_id, token.text)

        raise

    return user


def unbind(client_id: str, token: str | None) -> int:
    """End one token of a client, or all; return how many.

    Raises `ClientNotFound`, `TokenNotFound`, `UpstreamError`.
    """
    app = imkit().app

    if directory().users.find(app, client_id) is None:
        raise ClientNotFound(NO_CLIENT)

    body = {} if token is None else {"token": token}
    known_there = _tell("DELETE", clients_token_path(client_id), body, may_lack=True)
    ended = directory().bound.unbind(app, client_id, token)

    if ended is None:
        raise ClientNotFound(NO_CLIENT)

    if token is not None and not ended and not known_there:
        raise TokenNotFound("Token not found")

    return ended or int(known_there and token is not None)


def _end_replaced(client_id: str, token: BoundText) -> None:
    """End at the server the tokens that were made here before, whose place a new one takes."""
    if token.name is None or services().routes[IMKit.name].peer is None:
        return

    for name, digest in directory().bound.made_here(imkit().app, client_id):
        text = directory().bound_texts.again(name, digest)

        if text is not None:  # else its secret is gone: nobody can name it to the server
            _tell("DELETE", clients_token_path(client_id), {"token": text}, may_lack=True)


def _take_back(client_id: str, token: str) -> None:
    """End a token at the server that it may know by now, and nobody else does."""
    try:
        _tell("DELETE", clients_token_path(client_id), {"token": token}, may_lack=True)
    except UpstreamError as error:
        fields = {"reqId": context().id, "detail": error.detail}
        log.warning("a token could not be taken back at the IMKit server", extra=fields)


def _tell(method: str, path: str, document: Mapping[str, Any], *, may_lack: bool = False) -> bool:
    """Tell the server, where there is one; return whether it knew what it is about.

    Raises `Conflict` where it knows the token as another client's, else `UpstreamError`.
    """
    peer = services().routes[IMKit.name].peer

    if peer is None:
        return False

    try:
        status, content = answer_of(peer, imkit().change(method, path, document))
    except UpstreamError as error:
        raise UpstreamError(
            "The IMKit server could not be told of the change. Nothing was changed.",
            detail=f"imkit: {error.detail or error.message}",
        ) from error

    if status == 404 and may_lack:
        return False

    if status == 409:
        raise Conflict(BOUND_ELSEWHERE)

    if not 200 <= status < 300 or not _says_ok(content):
        raise UpstreamError(
            "The IMKit server refused the change. Nothing was changed.",
            detail=f"imkit: answered {status}",
        )

    return True


def _says_ok(content: bytes) -> bool:
    """Say whether an answer is a success to IMKit's own clients, who look at `RC`."""
    try:
        return bool(json.loads(content)["RC"] == 0)
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
