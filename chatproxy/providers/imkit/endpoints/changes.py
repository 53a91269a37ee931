"""Changes of clients and tokens: first at the IMKit server, then in the directory.

An IMKit server looks tokens up, so it must know each of them. If the server fails, nothing
is stored here. If storing fails afterwards, a new token is ended again at the server. See
decision 0014.
"""

import contextlib
import logging
from collections.abc import Mapping, Sequence

from chatproxy.errors import ChatproxyError, Conflict, TokenRejected
from chatproxy.identity.records import Profile, User, as_columns, changed_fields
from chatproxy.identity.token_records import OpaqueToken
from chatproxy.metrics.table import TOKENS_MINTED, TOKENS_REVOKED
from chatproxy.providers.imkit.endpoints import server
from chatproxy.providers.imkit.errors import ClientNotFound, TokenNotFound
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.turns import Turns
from chatproxy.web.current import directory, provider

log = logging.getLogger(__name__)

#: Clients that are checked before other requests get their turn.
TURN = 10

NO_CLIENT = "Client not found"


def put_client(client_id: str, profile: Profile) -> User:
    """Create or update a client and leave its tokens alone."""
    _check_storable({client_id: profile})
    server.put_client(client_id, profile)
    user, _ = directory().users.upsert(provider(IMKit).app, client_id, profile, seen=False)
    return user


def put_clients(profiles: Mapping[str, Profile]) -> None:
    """Create or update many clients, all or none."""
    _check_storable(profiles)
    server.put_clients(profiles)
    directory().users.upsert_many(provider(IMKit).app, profiles)


def change_client(user: User, profile: Profile) -> User:
    """Update a client; raise `ClientNotFound` if it was deleted in the meantime."""
    _check_storable({user.external_id: profile})
    server.put_client(user.external_id, profile)
    changed = directory().users.change(user.app_id, user.id, profile)

    if changed is None:
        raise ClientNotFound(NO_CLIENT)

    return changed


def bind(client_id: str, token: OpaqueToken, profile: Profile | None = None) -> User:
    """Bind a token to a client. With a profile the client is created or updated as well.

    Raises `ClientNotFound`, `UpstreamError`, and `Conflict` if the token is bound to another
    client.
    """
    app, known = provider(IMKit).app, directory().opaque_tokens

    if profile is None and directory().users.find(app, client_id) is None:
        raise ClientNotFound(NO_CLIENT)

    owner = known.owner(app, token.text)

    if owner not in (None, client_id):
        raise Conflict(server.BOUND_ELSEWHERE)

    _check_storable({client_id: profile or Profile()})
    ended: list[OpaqueToken] = []

    try:
        server.put_client(client_id, profile or Profile(), token)
        _end_replaced(client_id, token, ended)
        user = known.bind(app, client_id, token, profile)

        if user is None:  # deleted in the meantime
            raise ClientNotFound(NO_CLIENT)
    except ChatproxyError:
        # A lost answer does not say what the server did, so both directions are undone.
        if owner is None:
            _take_back(client_id, token.text)

        _put_back(client_id, ended)
        raise

    TOKENS_MINTED.add(IMKit.name)
    return user


def unbind(client_id: str, token: str | None) -> int:
    """End one token of a client, or all; return how many ended.

    Raises `ClientNotFound`, `TokenNotFound`, `UpstreamError`.
    """
    app = provider(IMKit).app

    if directory().users.find(app, client_id) is None:
        raise ClientNotFound(NO_CLIENT)

    known_there = server.end_tokens(client_id, token)
    ended = directory().opaque_tokens.unbind(app, client_id, token)

    if ended is None:
        raise ClientNotFound(NO_CLIENT)

    if token is not None and not ended and not known_there:
        raise TokenNotFound("Token not found")

    TOKENS_REVOKED.add(IMKit.name)
    return ended or int(known_there and token is not None)


def _check_storable(profiles: Mapping[str, Profile]) -> None:
    # The directory refuses metadata that is too large. This asks it before the change goes to
    # the server, where it could not be undone.
    known = directory().users.find_many(provider(IMKit).app, profiles)
    turns = Turns(TURN)

    for client_id, profile in profiles.items():
        user = known.get(client_id)
        as_columns(
            {"custom": dict(profile.custom or {})}
            if user is None
            else changed_fields(user, profile)
        )
        turns.count()


def _end_replaced(client_id: str, token: OpaqueToken, ended: list[OpaqueToken]) -> None:
    """End at the server the earlier tokens made here, which a new one replaces.

    Each is added to `ended` before the call, so that it is known even if the answer is lost.
    """
    # A token with a name was made here; those that a platform chose replace nothing.
    if token.name is None or not server.is_configured():
        return

    app, known = provider(IMKit).app, directory().opaque_tokens

    for name, digest in known.made_here(app, client_id):
        text = directory().opaque_tokens.text_of(name, digest)

        if text is None:  # its signing secret is gone, so its text cannot be made again
            continue

        with contextlib.suppress(TokenRejected):  # it ended just now, and need not come back
            ended.append(OpaqueToken(text, known.check(app, text).expires, name))

        server.end_tokens(client_id, text)


def _take_back(client_id: str, token: str) -> None:
    # If another request bound the same token to this client in the meantime, it stays.
    try:
        if directory().opaque_tokens.owner(provider(IMKit).app, token) != client_id:
            server.end_tokens(client_id, token)
    except ChatproxyError as error:
        _log_failure(error, "a token could not be taken back at the IMKit server")


def _put_back(client_id: str, ended: Sequence[OpaqueToken]) -> None:
    for token in ended:
        try:
            server.put_client(client_id, Profile(), token)
        except ChatproxyError as error:
            _log_failure(error, "a token could not be bound again at the IMKit server")


def _log_failure(error: ChatproxyError, message: str) -> None:
    # Only logged: the caller gets the failure of the change itself.
    log.warning(message, extra={"detail": error.detail or error.message})
