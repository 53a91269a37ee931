"""Users: one row for each person of an app, whichever provider's surface named it first."""

import dataclasses
import uuid
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Connection, bindparam, delete, update

from chatproxy.identity.database import Database
from chatproxy.identity.last_seen import is_due, write_if_free
from chatproxy.identity.records import Action, Profile, User, as_columns, changed_fields
from chatproxy.identity.revocation import ending_all
from chatproxy.identity.tables import badges, bound_tokens, devices, users
from chatproxy.identity.user_rows import (
    ACTIVE,
    all_users,
    first_user,
    for_update,
    user_of,
    users_from,
    users_of,
)
from chatproxy.turns import Turns

OURS = users_of(bindparam("app"))
BY_ID = OURS.where(users.c.external_id == bindparam("user"))
ACTIVE_BY_ID = BY_ID.where(ACTIVE)
ACTIVE_BY_IDS = OURS.where(users.c.external_id.in_(bindparam("ids", expanding=True)), ACTIVE)
ACTIVE_BY_OUR_ID = all_users().where(users.c.id == bindparam("own"), ACTIVE)
LOCKED_BY_ID = for_update(BY_ID)
LOCKED_BY_OUR_ID = for_update(OURS.where(users.c.id == bindparam("own"), ACTIVE))

#: Users that are written before other requests get their turn. Other writers wait for all of them,
#: so it is not less.
TURN = 10


class Users:
    """The users of the directory. A deleted user is not found, and comes back by `upsert`."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def find(self, app_id: str, external_id: str) -> User | None:
        """Return the user that the caller knows by this id."""
        row = self._database.row(ACTIVE_BY_ID, app=app_id, user=external_id)
        return None if row is None else user_of(row)

    def find_by_our_id(self, user_id: str) -> User | None:
        """Return the user that we know by this id, whichever app's."""
        row = self._database.row(ACTIVE_BY_OUR_ID, own=user_id)
        return None if row is None else user_of(row)

    def find_many(self, app_id: str, external_ids: Collection[str]) -> dict[str, User]:
        """Return the users that the caller knows by these ids, by id, in one statement."""
        if not external_ids:
            return {}

        rows = self._database.rows(ACTIVE_BY_IDS, app=app_id, ids=list(external_ids))
        return {user.external_id: user for user in users_from(rows)}

    def find_for_update(self, connection: Connection, app_id: str, external_id: str) -> User | None:
        """Return a user, a deleted one too, and lock its row until the transaction ends."""
        return first_user(connection, LOCKED_BY_ID, app=app_id, user=external_id)

    def upsert(
        self,
        app_id: str,
        external_id: str,
        profile: Profile,
        *,
        seen: bool = True,
        known: User | None = None,
    ) -> tuple[User, Action]:
        """Create or change a user, and note that it was seen.

        Two calls at once for the same new user create one. Where nothing changes, nothing
        is written. A deleted user who comes back is the same person, and none of the former
        tokens is valid. `known` is the user as it was read a moment ago, where it was. Raises
        `IdentityError` for an unknown app.
        """
        # Most calls name a user who is known already: they take no lock.
        known = known or self.find(app_id, external_id)

        if known is not None and not changed_fields(known, profile):
            return self.seen(known) if seen else known, "existing"

        with self._database.writing(refusal=f"there is no app {app_id}") as connection:
            return self.upsert_within(connection, app_id, external_id, profile, seen=seen)

    def upsert_many(self, app_id: str, profiles: Mapping[str, Profile]) -> None:
        """Create or change users, by the caller's ids, all or none; raise `IdentityError`."""
        with self._database.writing(refusal=f"there is no app {app_id}") as connection:
            turns = Turns(TURN)

            for external_id in sorted(profiles):  # in one order: two calls must not deadlock
                profile = profiles[external_id]
                self.upsert_within(connection, app_id, external_id, profile, seen=False)
                turns.count()

    def upsert_within(
        self,
        connection: Connection,
        app_id: str,
        external_id: str,
        profile: Profile,
        *,
        seen: bool = True,
    ) -> tuple[User, Action]:
        """Create or change a user within a transaction, which then holds the user's row."""
        # Insert first, then read: the other way round two calls could both find nobody.
        created = self._insert_bare(connection, app_id, external_id)
        user = self.find_for_update(connection, app_id, external_id)
        assert user is not None  # noqa: S101 - it was there, or was inserted above
        return self._change(connection, user, profile, created=created, seen=seen)

    def change(self, app_id: str, user_id: str, profile: Profile) -> User | None:
        """Change the user that we know by this id; None where the app has none."""
        with self._database.writing() as connection:
            user = first_user(connection, LOCKED_BY_OUR_ID, app=app_id, own=user_id)

            if user is None:
                return None

            return self._change(connection, user, profile, created=False, seen=False)[0]

    def delete(self, app_id: str, external_id: str) -> User | None:
        """Forget a person, and end all its tokens; None where there is no such user.

        The row stays, emptied of all that was said about the user: without it nobody would
        know that signed tokens, which may still run for a while, were ended.
        """
        user = self.find(app_id, external_id)

        if user is None:
            return None

        now = self._now()
        nothing = {"name": None, "image": None, "email": None, "custom": "{}"}
        gone = nothing | {"active": False, "updated": now, "last_seen": None}

        with self._database.writing() as connection:
            values = gone | ending_all(users, now)
            connection.execute(update(users).where(users.c.id == user.id).values(values))
            connection.execute(delete(devices).where(devices.c.user_id == user.id))
            connection.execute(delete(bound_tokens).where(bound_tokens.c.user_id == user.id))
            connection.execute(
                delete(badges).where(badges.c.app_id == app_id, badges.c.client_id == external_id)
            )

        return user

    def seen(self, user: User) -> User:
        """Note that the user was seen; see `last_seen`."""
        now = self._now()

        # The time in the row is every worker's, so one write a minute is made for all of them.
        if not is_due(user.last_seen, now):
            return user

        statement = update(users).where(users.c.id == user.id).values(last_seen=now)
        written = write_if_free(self._database, [statement])
        return dataclasses.replace(user, last_seen=now) if written else user

    def _insert_bare(self, connection: Connection, app_id: str, external_id: str) -> bool:
        """Insert a user of whom nothing is known; say whether it was missing."""
        now = self._now()
        statement = self._database.insert(users).values(
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
        self, connection: Connection, user: User, profile: Profile, *, created: bool, seen: bool
    ) -> tuple[User, Action]:
        """Write what differs. The caller holds the row, so nobody writes in between."""
        now = self._now()
        given = changed_fields(user, profile)
        revived = {} if user.active else {"active": True, "created": now}
        updated = {"updated": now} if given or revived else {}
        changes = given | revived | updated | ({"last_seen": now} if seen else {})

        if changes:
            columns = as_columns(changes)
            connection.execute(update(users).where(users.c.id == user.id).values(columns))
            user = dataclasses.replace(user, **changes)

        if created or revived:
            return user, "created"

        return user, "updated" if given else "existing"
