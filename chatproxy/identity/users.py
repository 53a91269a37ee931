"""Users: one row for each person of an app, whichever provider's surface named it first."""

import contextlib
import dataclasses
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Literal

from sqlalchemy import Connection, delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.apps import IdentityError
from chatproxy.identity.engine import Database
from chatproxy.identity.models import badges, bound_tokens, devices, users
from chatproxy.identity.user import Profile, User, ending_all, find, news, stored, user_of, users_of

#: Seconds for which "last seen" may be behind: a user who changes nothing costs no write.
SEEN_EVERY = 60.0

Action = Literal["created", "updated", "existing"]


class Users:
    """The users of the directory."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def find(self, app_id: str, external_id: str) -> User | None:
        """Return the user that the caller knows by this id, None for none and for a deleted one."""
        with self._database.reading() as connection:
            user = find(connection, app_id, external_id)

        return user if user is not None and user.active else None

    def upsert(
        self, app_id: str, external_id: str, profile: Profile, *, seen: bool = True
    ) -> tuple[User, Action]:
        """Make or change a user, and note that it was seen.

        Two at once for the same new user make one. Where nothing would change, nothing
        is written. A deleted user who comes back is the same person, with no token of
        before. Raises `IdentityError` where there is no such app.
        """
        with self._database.reading() as connection:
            known = find(connection, app_id, external_id)

        if known is not None and known.active and not news(known, profile):
            return self.seen(known) if seen else known, "existing"

        with self.writing(app_id) as connection:
            return self.put(connection, app_id, external_id, profile, seen=seen)

    def upsert_many(self, app_id: str, profiles: Mapping[str, Profile]) -> None:
        """Make or change users, by the caller's ids, all or none; raise `IdentityError`."""
        with self.writing(app_id) as connection:
            for external_id in sorted(profiles):  # in one order, so that two cannot lock
                self.put(connection, app_id, external_id, profiles[external_id], seen=False)

    @contextlib.contextmanager
    def writing(self, app_id: str) -> Iterator[Connection]:
        """Give a connection in a write transaction; raise `IdentityError` for no such app."""
        try:
            with self._database.writing() as connection:
                yield connection
        except IntegrityError as error:
            raise IdentityError(f"there is no app {app_id}") from error

    def put(
        self,
        connection: Connection,
        app_id: str,
        external_id: str,
        profile: Profile,
        *,
        seen: bool = True,
    ) -> tuple[User, Action]:
        """Make or change a user within somebody's transaction, which then holds its row."""
        made = self._insert_new(connection, app_id, external_id)
        known = self.held(connection, app_id, external_id)
        assert known is not None  # noqa: S101 - it was inserted, or was there
        return self._change(connection, known, profile, made=made, seen=seen)

    def held(self, connection: Connection, app_id: str, external_id: str) -> User | None:
        """Return a user, a deleted one included, and hold its row until the transaction ends."""
        return find(connection, app_id, external_id, lock=not self._database.is_sqlite)

    def change(self, app_id: str, user_id: str, profile: Profile) -> User | None:
        """Change the user that we know by this id; None where the app has none."""
        wanted = users_of(app_id).where(users.c.id == user_id, users.c.active.is_(True))
        wanted = wanted if self._database.is_sqlite else wanted.with_for_update(of=users)

        with self._database.writing() as connection:
            row = connection.execute(wanted).mappings().first()

            if row is None:
                return None

            return self._change(connection, user_of(row), profile, made=False, seen=False)[0]

    def delete(self, app_id: str, external_id: str) -> User | None:
        """Forget a person, and end all its tokens; None where there is no such user.

        The row stays, without anything that was said of the user: it is what keeps the
        tokens dead. Its devices, badges and bound tokens go.
        """
        user = self.find(app_id, external_id)

        if user is None:
            return None

        nobody = {"name": None, "image": None, "email": None, "custom": "{}", "active": False}
        now = self._now()

        with self._database.writing() as connection:
            connection.execute(
                update(users)
                .where(users.c.id == user.id)
                .values(nobody | ending_all(users, now) | {"updated": now, "last_seen": None})
            )
            connection.execute(delete(devices).where(devices.c.user_id == user.id))
            connection.execute(delete(bound_tokens).where(bound_tokens.c.user_id == user.id))
            connection.execute(
                delete(badges).where(badges.c.app_id == app_id, badges.c.client_id == external_id)
            )

        return user

    def seen(self, user: User) -> User:
        """Note that the user was seen, once a minute; nobody waits for that, or fails by it."""
        now = self._now()

        if user.last_seen is not None and 0 <= now - user.last_seen < SEEN_EVERY:
            return user

        try:
            with self._database.writing(durable=False, waits=False) as connection:
                connection.execute(update(users).where(users.c.id == user.id).values(last_seen=now))
        except DirectoryUnavailable:
            return user

        return dataclasses.replace(user, last_seen=now)

    def _insert_new(self, connection: Connection, app_id: str, external_id: str) -> bool:
        """Insert a bare user unless it is there; say whether it was not."""
        dialect = sqlite if self._database.is_sqlite else postgresql
        now = self._now()
        statement = dialect.insert(users).values(
            id=uuid.uuid4().hex,
            app_id=app_id,
            external_id=external_id,
            custom="{}",
            active=True,
            token_version=0,
            created=now,
            updated=now,
        )
        unless_there = statement.on_conflict_do_nothing(index_elements=["app_id", "external_id"])
        inserted = connection.execute(unless_there.returning(users.c.id)).first()
        return inserted is not None

    def _change(
        self, connection: Connection, user: User, profile: Profile, *, made: bool, seen: bool
    ) -> tuple[User, Action]:
        """Write what is new. The caller holds the row."""
        said = news(user, profile)
        now = self._now()
        came_back = {} if user.active else {"active": True, "created": now}
        updated = {"updated": now} if said or came_back else {}
        changes = said | came_back | updated | ({"last_seen": now} if seen else {})

        if not changes:
            return user, "created" if made else "existing"

        changed = dataclasses.replace(user, **changes)
        connection.execute(update(users).where(users.c.id == user.id).values(stored(changes)))

        if made or came_back:
            return changed, "created"

        return changed, "updated" if said else "existing"
