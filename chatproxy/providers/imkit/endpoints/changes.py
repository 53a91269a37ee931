"""Changes of clients and tokens: told to the IMKit server first, then kept here.

An IMKit server finds a token by look-up, so it has to know of each. Where it fails, nothing
is kept here; where keeping fails afterwards, a new token is taken back there.
"""

import contextlib
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from chatproxy.errors import ChatproxyError, Conflict, TokenRejected, UpstreamError
from chatproxy.identity.records import Profile, User, as_columns, changed_fields
from chatproxy.identity.token_records import OpaqueToken
from chatproxy.providers.imkit.endpoints.paths import clients_token_path
from chatproxy.providers.imkit.errors import ClientNotFound, TokenNotFound
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.shapes import token_of, told
from chatproxy.web.current import context, directory, provider, services

log = logging.getLogger(__name__)

CLIENTS = "/admin/clients"
BOUND_ELSEWHERE = "Token is bound to another client"
NO_CLIENT = "Client not found"


def put_client(client_id: str, profile: Profile) -> User:
    """Make or change a client without touching its tokens."""
    _check_fits({client_id: profile})
    _tell("POST", CLIENTS, told(client_id, profile))
    user, _ = directory().users.upsert(provider(IMKit).app, client_id, profile, seen=False)
    return user


def put_clients(profiles: Mapping[str, Profile]) -> None:
    """Make or change many clients, all or none."""
    _check_fits(profiles)
    _tell("POST", f"{CLIENTS}/list", {"data": [told(*one) for one in profiles.items()]})
    directory().users.upsert_many(provider(IMKit).app, profiles)


def change_client(user: User, profile: Profile) -> User:
    """Change a client that is there; raise `ClientNotFound` where it was deleted meanwhile."""
    _check_fits({user.external_id: profile})
    _tell("POST", CLIENTS, told(user.external_id, profile))
    changed = directory().users.change(user.app_id, user.id, profile)

    if changed is None:
        raise ClientNotFound(NO_CLIENT)

    return changed


def bind(client_id: str, token: OpaqueToken, profile: Profile | None = None) -> User:
    """Bind a token to a client, which a profile makes or changes on the way.

    Raises `ClientNotFound` without either, `Conflict` where the token is another client's,
    `UpstreamError`.
    """
    app, known = provider(IMKit).app, directory().opaque_tokens

    if profile is None and directory().users.find(app, client_id) is None:
        raise ClientNotFound(NO_CLIENT)

    owner = known.owner(app, token.text)

    if owner not in (None, client_id):
        raise Conflict(BOUND_ELSEWHERE)

    _check_fits({client_id: profile or Profile()})
    ended: list[OpaqueToken] = []

    try:
        _tell("POST", CLIENTS, told(client_id, profile or Profile()) | token_of(token))
        _end_replaced(client_id, token, ended)
        user = known.bind(app, client_id, token, profile)

        if user is None:  # deleted meanwhile
            raise ClientNotFound(NO_CLIENT)
    except ChatproxyError:
        if owner is None:
            _take_back(client_id, token.text)

        _put_back(client_id, ended)
        raise

    return user


def unbind(client_id: str, token: str | None) -> int:
    """End one token of a client, or all; return how many.

    Raises `ClientNotFound`, `TokenNotFound`, `UpstreamError`.
    """
    app = provider(IMKit).app

    if directory().users.find(app, client_id) is None:
        raise ClientNotFound(NO_CLIENT)

    body = {} if token is None else {"token": token}
    known_there = _tell("DELETE", clients_token_path(client_id), body, may_lack=True)
    ended = directory().opaque_tokens.unbind(app, client_id, token)

    if ended is None:
        raise ClientNotFound(NO_CLIENT)

    if token is not None and not ended and not known_there:
        raise TokenNotFound("Token not found")

    return ended or int(known_there and token is not None)


def _check_fits(profiles: Mapping[str, Profile]) -> None:
    """Refuse what the directory would refuse, before the server is told; raise `MalformedBody`."""
    known = directory().users.find_many(provider(IMKit).app, profiles)

    for client_id, profile in profiles.items():
        user = known.get(client_id)
        as_columns(
            {"custom": dict(profile.custom or {})}
            if user is None
            else changed_fields(user, profile)
        )


def _end_replaced(client_id: str, token: OpaqueToken, ended: list[OpaqueToken]) -> None:
    """End at the server the tokens that were made here before, whose place a new one takes.

    Each is put into `ended` before, so that it is known also where the answer is lost.
    """
    if token.name is None or services().backends[IMKit.name].peer is None:
        return

    app, known = provider(IMKit).app, directory().opaque_tokens

    for name, digest in known.made_here(app, client_id):
        text = directory().opaque_tokens.text_of(name, digest)

        if text is None:  # its secret is gone: nobody can name it to the server
            continue

        with contextlib.suppress(TokenRejected):  # it ended just now
            ended.append(OpaqueToken(text, known.check(app, text).expires, name))

        _tell("DELETE", clients_token_path(client_id), {"token": text}, may_lack=True)


def _take_back(client_id: str, token: str) -> None:
    """End a token at the server that it may know by now, and nobody else does."""
    try:
        if directory().opaque_tokens.owner(provider(IMKit).app, token) != client_id:
            _tell("DELETE", clients_token_path(client_id), {"token": token}, may_lack=True)
    except ChatproxyError as error:
        _log_left(error, "a token could not be taken back at the IMKit server")


def _put_back(client_id: str, ended: Sequence[OpaqueToken]) -> None:
    """Bind again at the server what was ended there, and counts here as before."""
    for token in ended:
        try:
            _tell("POST", CLIENTS, {"_id": client_id} | token_of(token))
        except ChatproxyError as error:
            _log_left(error, "a token could not be bound again at the IMKit server")


def _log_left(error: ChatproxyError, message: str) -> None:
    log.warning(message, extra={"reqId": context().id, "detail": error.detail or error.message})


def _tell(method: str, path: str, document: Mapping[str, Any], *, may_lack: bool = False) -> bool:
    """Tell the server, where there is one; return whether it knew what it is about.

    Raises `Conflict` where it knows the token as another client's, else `UpstreamError`.
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
