"""Opaque tokens: bound to a user, and found by their digests.

A token is any text that a caller chooses, or one that is made here. It is valid until its
end, until it is unbound, and until the user's tokens are revoked: its row holds the version
that the user had when it was bound, as the ids of signed tokens do (see `revocation`).
"""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import Column, Connection, Select, and_, bindparam, delete, or_, select, tuple_

from chatproxy.errors import Conflict, TokenExpired, TokenRevoked, TokenUnknown
from chatproxy.identity.database import Database
from chatproxy.identity.key_format import digest_of
from chatproxy.identity.opaque_token_format import OpaqueTokenFormat
from chatproxy.identity.records import Profile, User
from chatproxy.identity.tables import apps, bound_tokens, users
from chatproxy.identity.token_records import Binding, OpaqueToken
from chatproxy.identity.user_rows import ACTIVE, VERSION, all_users, user_of
from chatproxy.identity.users import Users

#: A token's user, and behind it the token's end and version.
WITH_USER = (
    all_users()
    .add_columns(bound_tokens.c.expires, bound_tokens.c.version.label("bound_version"))
    .join(bound_tokens, bound_tokens.c.user_id == users.c.id)
    .where(bound_tokens.c.app_id == bindparam("app"), bound_tokens.c.digest == bindparam("token"))
)


class OpaqueTokens:
    """The opaque tokens of the directory."""

    def __init__(
        self,
        database: Database,
        token_format: OpaqueTokenFormat,
        users_: Users,
        now: Callable[[], float],
    ) -> None:
        self._database = database
        self._format = token_format
        self._users = users_
        self._now = now

    def make(self, expires: float) -> OpaqueToken:
        """Make a token that is not bound yet."""
        return self._format.make(expires)

    def text_of(self, name: str, digest: str) -> str | None:
        """Return the text of a token that was made here, None where its secret is gone."""
        return self._format.text_of(name, digest)

    def check(self, app_id: str, text: str) -> Binding:
        """Return whom a token is bound to; raise a `TokenRejected` unless it is valid."""
        digest = digest_of(text)
        row = self._database.row(WITH_USER, app=app_id, token=digest)

        if row is None:
            raise TokenUnknown("Invalid token")

        user = user_of(row)

        # The row of a deleted user's token goes with the user; this also holds where it did not.
        if not user.active or row.bound_version != user.version:
            raise TokenRevoked("Token revoked")

        if self._now() >= row.expires:
            raise TokenExpired("Token expired")

        return Binding(user, digest, row.expires)

    def still_valid(self, digests: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of the tokens, each an app and a digest, that are valid."""
        if not digests:
            return set()

        pair = (bound_tokens.c.app_id, bound_tokens.c.digest)
        wanted = self._valid(*pair).where(tuple_(*pair).in_(digests))
        return {(row.app_id, row.digest) for row in self._database.rows(wanted)}

    def bind(
        self, app_id: str, external_id: str, token: OpaqueToken, profile: Profile | None = None
    ) -> User | None:
        """Bind a token to a user; with a profile the user is created or changed with it.

        Both happen or none. A token made here replaces those made here for the user before;
        one that the user has already gets the new end. Without a profile None is returned
        where there is no such user. Raises `Conflict` where the token is another user's,
        `IdentityError` for an unknown app.
        """
        with self._database.writing(refusal=f"there is no app {app_id}") as connection:
            if profile is None:
                user = self._active_user(connection, app_id, external_id)
            else:
                user, _ = self._users.upsert_within(connection, app_id, external_id, profile)

            if user is not None:
                self._delete_replaced(connection, user, made_here=token.name is not None)
                self._insert_or_prolong(connection, user, token)

        return user

    def unbind(self, app_id: str, external_id: str, text: str | None = None) -> int | None:
        """End one token of a user, or all; return how many were valid, None for no such user."""
        with self._database.writing() as connection:
            user = self._active_user(connection, app_id, external_id)

            if user is None:
                return None

            mine = bound_tokens.c.user_id == user.id

            if text is not None:
                mine = and_(mine, bound_tokens.c.digest == digest_of(text))

            valid = and_(
                bound_tokens.c.version == user.version, bound_tokens.c.expires > self._now()
            )
            # Two steps, so that the first one counts; what is over goes in any case.
            ended = connection.execute(delete(bound_tokens).where(mine, valid)).rowcount
            connection.execute(delete(bound_tokens).where(mine))
            return ended

    def owner(self, app_id: str, text: str) -> str | None:
        """Return the caller's id of the user that a token is bound to, valid or not."""
        wanted = (
            select(users.c.external_id)
            .join(bound_tokens, bound_tokens.c.user_id == users.c.id)
            .where(bound_tokens.c.app_id == app_id, bound_tokens.c.digest == digest_of(text))
        )
        row = self._database.row(wanted)
        return None if row is None else row.external_id

    def made_here(self, app_id: str, external_id: str) -> Sequence[tuple[str, str]]:
        """Return name and digest of the user's valid tokens that were made here."""
        wanted = self._valid(bound_tokens.c.name, bound_tokens.c.digest).where(
            users.c.app_id == app_id,
            users.c.external_id == external_id,
            bound_tokens.c.name.is_not(None),
        )
        return [(row.name, row.digest) for row in self._database.rows(wanted)]

    def _active_user(self, connection: Connection, app_id: str, external_id: str) -> User | None:
        user = self._users.find_for_update(connection, app_id, external_id)
        return user if user is not None and user.active else None

    def _valid(self, *columns: Column[Any]) -> Select[Any]:
        chosen: Select[Any] = select(*columns)
        return (
            chosen.join(users, users.c.id == bound_tokens.c.user_id)
            .join(apps, apps.c.id == users.c.app_id)
            .where(ACTIVE, bound_tokens.c.version == VERSION)
            .where(bound_tokens.c.expires > self._now())
        )

    def _delete_replaced(self, connection: Connection, user: User, *, made_here: bool) -> None:
        """Delete the user's tokens that are over, and those whose place a new one takes."""
        over = or_(bound_tokens.c.expires <= self._now(), bound_tokens.c.version != user.version)
        gone = or_(over, bound_tokens.c.name.is_not(None)) if made_here else over
        connection.execute(delete(bound_tokens).where(bound_tokens.c.user_id == user.id, gone))

    def _insert_or_prolong(self, connection: Connection, user: User, token: OpaqueToken) -> None:
        statement = self._database.insert(bound_tokens).values(
            app_id=user.app_id,
            digest=digest_of(token.text),
            user_id=user.id,
            name=token.name,
            version=user.version,
            created=self._now(),
            expires=token.expires,
        )
        # The table's key allows one row for a token. Another user's is left as it is, and then
        # no row is returned: that cannot be decided by a question asked before.
        mine = statement.on_conflict_do_update(
            index_elements=["app_id", "digest"],
            set_={"expires": token.expires},
            where=bound_tokens.c.user_id == user.id,
        )

        if connection.execute(mine.returning(bound_tokens.c.digest)).first() is None:
            raise Conflict("Token is bound to another client")
