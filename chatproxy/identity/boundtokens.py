"""Tokens that are found by look-up: bound to a user, and kept as digests.

A token is any text that whoever asks for it makes up, or one that is made here. It counts
until its end, until it is unbound, and until the user's tokens are revoked: it holds the
version that the user had when it was bound, as `revocation` has it of signed ones.
"""

import dataclasses
from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from chatproxy.errors import Conflict, TokenExpired, TokenRevoked, TokenUnknown
from chatproxy.identity.boundtexts import BoundText
from chatproxy.identity.engine import Database
from chatproxy.identity.keytexts import digest_of
from chatproxy.identity.models import apps, bound_tokens, users
from chatproxy.identity.user import Profile, User, all_users, user_of
from chatproxy.identity.users import Users

#: The version that a user's tokens have to carry.
VERSION = users.c.token_version + apps.c.token_version


@dataclasses.dataclass(frozen=True)
class Bound:
    """A token that counts: its user, and its end in epoch seconds."""

    user: User
    digest: str
    expires: float


class BoundTokens:
    """The bound tokens of the directory."""

    def __init__(self, database: Database, users_: Users, now: Callable[[], float]) -> None:
        self._database = database
        self._users = users_
        self._now = now

    def find(self, app_id: str, text: str) -> Bound:
        """Return who a token is bound to; raise a `TokenRejected`."""
        digest = digest_of(text)
        bound = (bound_tokens.c.expires, bound_tokens.c.version.label("bound_version"))
        wanted = (
            all_users()
            .add_columns(*bound)
            .join(bound_tokens, bound_tokens.c.user_id == users.c.id)
            .where(bound_tokens.c.app_id == app_id, bound_tokens.c.digest == digest)
        )

        with self._database.reading() as connection:
            row = connection.execute(wanted).mappings().first()

        if row is None:
            raise TokenUnknown("Invalid token")

        columns: dict[str, Any] = dict(row)
        expires, version = columns.pop("expires"), columns.pop("bound_version")
        user = user_of(columns)

        if not user.active or version != user.version:
            raise TokenRevoked("Token revoked")

        if self._now() >= expires:
            raise TokenExpired("Token expired")

        return Bound(user, digest, expires)

    def still_count(self, digests: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        """Return those of the tokens, each an app and a digest, that still count."""
        if not digests:
            return set()

        pair = tuple_(bound_tokens.c.app_id, bound_tokens.c.digest)
        wanted = (
            select(bound_tokens.c.app_id, bound_tokens.c.digest)
            .join(users, users.c.id == bound_tokens.c.user_id)
            .join(apps, apps.c.id == users.c.app_id)
            .where(pair.in_(digests), self._counts())
        )

        with self._database.reading() as connection:
            return {(app_id, digest) for app_id, digest in connection.execute(wanted)}

    def bind(
        self, app_id: str, external_id: str, token: BoundText, profile: Profile | None = None
    ) -> User | None:
        """Bind a token to a user; with a profile the user is made or changed on the way.

        Both happen or none. One made here takes the place of those that were made here for
        the user before. A token that the user has already has the new end. None where there
        is no such user and no profile. Raises `Conflict` where the token is another user's,
        `IdentityError` where there is no such app.
        """
        with self._users.writing(app_id) as connection:
            if profile is not None:
                user, _ = self._users.put(connection, app_id, external_id, profile)
            else:
                held = self._users.held(connection, app_id, external_id)

                if held is None or not held.active:
                    return None

                user = held

            self._clear(connection, user, made_here=token.name is not None)
            self._put(connection, user, token)
            return user

    def unbind(self, app_id: str, external_id: str, text: str | None = None) -> int | None:
        """End one token of a user, or all; return how many counted, None for no such user."""
        with self._database.writing() as connection:
            user = self._users.held(connection, app_id, external_id)

            if user is None or not user.active:
                return None

            mine = bound_tokens.c.user_id == user.id

            if text is not None:
                mine = and_(mine, bound_tokens.c.digest == digest_of(text))

            counted = and_(
                bound_tokens.c.version == user.version, bound_tokens.c.expires > self._now()
            )
            ended = connection.execute(delete(bound_tokens).where(mine, counted)).rowcount
            connection.execute(delete(bound_tokens).where(mine))
            return ended

    def owner(self, app_id: str, text: str) -> str | None:
        """Return the caller's id of the user that a token is bound to, dead ones included."""
        wanted = (
            select(users.c.external_id)
            .join(bound_tokens, bound_tokens.c.user_id == users.c.id)
            .where(bound_tokens.c.app_id == app_id, bound_tokens.c.digest == digest_of(text))
        )

        with self._database.reading() as connection:
            return connection.execute(wanted).scalar()

    def made_here(self, app_id: str, external_id: str) -> Sequence[tuple[str, str]]:
        """Return name and digest of the user's tokens that were made here and still count."""
        wanted = (
            select(bound_tokens.c.name, bound_tokens.c.digest)
            .join(users, users.c.id == bound_tokens.c.user_id)
            .join(apps, apps.c.id == users.c.app_id)
            .where(users.c.app_id == app_id, users.c.external_id == external_id)
            .where(bound_tokens.c.name.is_not(None), self._counts())
        )

        with self._database.reading() as connection:
            return [(name, digest) for name, digest in connection.execute(wanted)]

    def _counts(self) -> ColumnElement[bool]:
        return and_(
            users.c.active.is_(True),
            bound_tokens.c.version == VERSION,
            bound_tokens.c.expires > self._now(),
        )

    def _clear(self, connection: Connection, user: User, *, made_here: bool) -> None:
        """Remove those that are over, and those whose place is taken."""
        over = or_(bound_tokens.c.expires <= self._now(), bound_tokens.c.version != user.version)
        gone = or_(over, bound_tokens.c.name.is_not(None)) if made_here else over
        connection.execute(delete(bound_tokens).where(bound_tokens.c.user_id == user.id, gone))

    def _put(self, connection: Connection, user: User, token: BoundText) -> None:
        """Insert a token, or give it its new end; the table's key lets it have one user only."""
        dialect = sqlite if self._database.is_sqlite else postgresql
        statement = dialect.insert(bound_tokens).values(
            app_id=user.app_id,
            digest=digest_of(token.text),
            user_id=user.id,
            name=token.name,
            version=user.version,
            created=self._now(),
            expires=token.expires,
        )
        mine = statement.on_conflict_do_update(
            index_elements=["app_id", "digest"],
            set_={"expires": token.expires},
            where=bound_tokens.c.user_id == user.id,
        )

        if connection.execute(mine.returning(bound_tokens.c.digest)).first() is None:
            raise Conflict("Token is bound to another client")
