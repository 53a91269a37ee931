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
from chatproxy.providers.imkit.errors import ClientNotFound, TokenNotFound
from chatproxy.providers.imkit.server import BOUND_ELSEWHERE, Server
from chatproxy.providers.people import Reach
from chatproxy.turns import Turns

log = logging.getLogger(__name__)

#: Clients that are checked before other requests get their turn.
TURN = 10

NO_CLIENT = "Client not found"


class Changes:
    """Changes of one application's clients."""

    def __init__(self, name: str, app: str, api_key: str, reach: Reach) -> None:
        assert reach.directory is not None  # noqa: S101 - it knows users
        self._name = name
        self._app = app
        self._directory = reach.directory
        self._server = Server(name, api_key, reach)

    def put_client(self, client_id: str, profile: Profile) -> User:
        """Create or update a client and leave its tokens alone."""
        self._check_storable({client_id: profile})
        self._server.put_client(client_id, profile)
        user, _ = self._directory.users.upsert(self._app, client_id, profile, seen=False)
        return user

    def put_clients(self, profiles: Mapping[str, Profile]) -> None:
        """Create or update many clients, all or none."""
        self._check_storable(profiles)
        self._server.put_clients(profiles)
        self._directory.users.upsert_many(self._app, profiles)

    def change_client(self, user: User, profile: Profile) -> User:
        """Update a client; raise `ClientNotFound` if it was deleted in the meantime."""
        self._check_storable({user.external_id: profile})
        self._server.put_client(user.external_id, profile)
        changed = self._directory.users.change(user.app_id, user.id, profile)

        if changed is None:
            raise ClientNotFound(NO_CLIENT)

        return changed

    def bind(self, client_id: str, token: OpaqueToken, profile: Profile | None = None) -> User:
        """Bind a token to a client. With a profile the client is created or updated as well.

        Raises `ClientNotFound`, `UpstreamError`, and `Conflict` if the token is bound to another
        client.
        """
        app, known = self._app, self._directory.opaque_tokens

        if profile is None and self._directory.users.find(app, client_id) is None:
            raise ClientNotFound(NO_CLIENT)

        owner = known.owner(app, token.text)

        if owner not in (None, client_id):
            raise Conflict(BOUND_ELSEWHERE)

        self._check_storable({client_id: profile or Profile()})
        ended: list[OpaqueToken] = []

        try:
            self._server.put_client(client_id, profile or Profile(), token)
            self._end_replaced(client_id, token, ended)
            user = known.bind(app, client_id, token, profile)

            if user is None:  # deleted in the meantime
                raise ClientNotFound(NO_CLIENT)
        except ChatproxyError:
            # A lost answer does not say what the server did, so both directions are undone.
            if owner is None:
                self._take_back(client_id, token.text)

            self._put_back(client_id, ended)
            raise

        TOKENS_MINTED.add(self._name)
        return user

    def unbind(self, client_id: str, token: str | None) -> int:
        """End one token of a client, or all; return how many ended.

        Raises `ClientNotFound`, `TokenNotFound`, `UpstreamError`.
        """
        app = self._app

        if self._directory.users.find(app, client_id) is None:
            raise ClientNotFound(NO_CLIENT)

        known_there = self._server.end_tokens(client_id, token)
        ended = self._directory.opaque_tokens.unbind(app, client_id, token)

        if ended is None:
            raise ClientNotFound(NO_CLIENT)

        if token is not None and not ended and not known_there:
            raise TokenNotFound("Token not found")

        TOKENS_REVOKED.add(self._name)
        return ended or int(known_there and token is not None)

    def _check_storable(self, profiles: Mapping[str, Profile]) -> None:
        # The directory refuses metadata that is too large. This asks it before the change goes to
        # the server, where it could not be undone.
        known = self._directory.users.find_many(self._app, profiles)
        turns = Turns(TURN)

        for client_id, profile in profiles.items():
            user = known.get(client_id)
            as_columns(
                {"custom": dict(profile.custom or {})}
                if user is None
                else changed_fields(user, profile)
            )
            turns.count()

    def _end_replaced(self, client_id: str, token: OpaqueToken, ended: list[OpaqueToken]) -> None:
        """End at the server the earlier tokens made here, which a new one replaces.

        Each is added to `ended` before the call, so that it is known even if the answer is lost.
        """
        # A token with a name was made here; those that a platform chose replace nothing.
        if token.name is None or not self._server.is_configured:
            return

        app, known = self._app, self._directory.opaque_tokens

        for name, digest in known.made_here(app, client_id):
            text = self._directory.opaque_tokens.text_of(name, digest)

            if text is None:  # its signing secret is gone, so its text cannot be made again
                continue

            with contextlib.suppress(TokenRejected):  # it ended just now, and need not come back
                ended.append(OpaqueToken(text, known.check(app, text).expires, name))

            self._server.end_tokens(client_id, text)

    def _take_back(self, client_id: str, token: str) -> None:
        # If another request bound the same token to this client in the meantime, it stays.
        try:
            if self._directory.opaque_tokens.owner(self._app, token) != client_id:
                self._server.end_tokens(client_id, token)
        except ChatproxyError as error:
            _log_failure(error, "a token could not be taken back at the IMKit server")

    def _put_back(self, client_id: str, ended: Sequence[OpaqueToken]) -> None:
        for token in ended:
            try:
                self._server.put_client(client_id, Profile(), token)
            except ChatproxyError as error:
                _log_failure(error, "a token could not be bound again at the IMKit server")


def _log_failure(error: ChatproxyError, message: str) -> None:
    # Only logged: the caller gets the failure of the change itself.
    log.warning(message, extra={"detail": error.detail or error.message})
