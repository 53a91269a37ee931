"""Users by the thousand: written in batches, and read as a stream, both in constant memory."""

import contextlib
import dataclasses
import functools
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, update

from chatproxy.identity.database import Database
from chatproxy.identity.records import Action, Profile, User, as_columns, changed_fields
from chatproxy.identity.tables import users
from chatproxy.identity.user_rows import ACTIVE, for_update, user_of, users_of
from chatproxy.identity.users import Users

#: Rows that are fetched at once.
FETCHED = 500

Row = tuple[str, Profile]
Counts = Counter[Action]

#: Columns that an import may change.
WRITTEN = ("name", "image", "email", "custom", "active", "created", "updated")


class BulkUsers:
    """The users of an app, many at once."""

    def __init__(self, database: Database, users_: Users, now: Callable[[], float]) -> None:
        self._database = database
        self._users = users_
        self._now = now

    def put(self, app_id: str, rows: Sequence[Row]) -> Counts:
        """Create or change users, all or none, as `Users.upsert` does one after the other.

        Raises `IdentityError` for an unknown app, `CallerError` for what cannot be stored.
        """
        with self._database.writing(refusal=f"there is no app {app_id}") as connection:
            return self._put_within(connection, app_id, rows)

    @contextlib.contextmanager
    def putting(self, app_id: str) -> Iterator[Callable[[Sequence[Row]], Counts]]:
        """Give a function that puts rows, all of which get in at the end, or none.

        Meanwhile nobody else writes to a SQLite file.
        """
        refusal = f"there is no app {app_id}"

        with self._database.writing(refusal=refusal, watched=False) as connection:
            yield functools.partial(self._put_within, connection, app_id)

    def _put_within(self, connection: Connection, app_id: str, rows: Sequence[Row]) -> Counts:
        # In one order: two calls must not deadlock.
        ids = sorted({external_id for external_id, _ in rows})
        wanted = for_update(users_of(app_id).where(users.c.external_id.in_(ids)))
        ordered = wanted.order_by(users.c.external_id)
        found = (user_of(row) for row in connection.execute(ordered))
        known = {user.external_id: user for user in found}
        new, changed, counts = set[str](), set[str](), Counter[Action]()

        for external_id, profile in rows:
            before = known.get(external_id) or self._nobody(app_id, external_id)
            known[external_id], action = self._with(before, profile)
            counts[action] += 1

            if not before.created:
                new.add(external_id)
            elif action != "existing":
                changed.add(external_id)

        self._update(connection, [known[one] for one in sorted(changed - new)])
        missed = self._insert(connection, [known[one] for one in sorted(new)])

        # Somebody else has made them meanwhile.
        for user in missed:
            profile = Profile(user.name, user.image, user.email, user.custom)
            self._users.upsert_within(connection, app_id, user.external_id, profile, seen=False)

        return counts

    def all(self, app_id: str) -> Iterator[User]:
        """Yield the users of an app by their ids, as they were at one moment."""
        wanted = users_of(app_id).where(ACTIVE).order_by(users.c.external_id)

        # Whoever takes them may take any time.
        with self._database.reading(watched=False) as connection:
            streaming = connection.execution_options(yield_per=FETCHED)

            for row in streaming.execute(wanted):
                yield user_of(row)

    def _nobody(self, app_id: str, external_id: str) -> User:
        """Return a user of whom nothing is known, and who is not there yet."""
        nothing: dict[str, Any] = {"name": None, "image": None, "email": None, "custom": {}}
        counts = {"token_version": 0, "tokens_valid_after": None, "app_version": 0}
        times = {"created": 0.0, "updated": 0.0, "last_seen": None}
        return User(
            id=uuid.uuid4().hex,
            app_id=app_id,
            external_id=external_id,
            active=False,
            **nothing | counts | times,
        )

    def _with(self, user: User, profile: Profile) -> tuple[User, Action]:
        given, now = changed_fields(user, profile), self._now()

        if not user.active:
            return dataclasses.replace(
                user, **given, active=True, created=now, updated=now
            ), "created"

        if not given:
            return user, "existing"

        return dataclasses.replace(user, **given, updated=now), "updated"

    def _update(self, connection: Connection, changed: Sequence[User]) -> None:
        if changed:
            statement = update(users).where(users.c.id == bindparam("own_id"))
            values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in WRITTEN}
            connection.execute(
                statement.values(values),
                [
                    {f"new_{name}": value for name, value in _columns(user, WRITTEN).items()}
                    | {"own_id": user.id}
                    for user in changed
                ],
            )

    def _insert(self, connection: Connection, new: Sequence[User]) -> Sequence[User]:
        """Insert users; return those that were there already."""
        if not new:
            return []

        statement = self._database.insert(users)
        names = [*WRITTEN, "id", "app_id", "external_id", "token_version"]
        rows = [dict(_columns(user, names)) for user in new]

        # There the transaction holds the only write lock, so nobody can have made them meanwhile.
        if self._database.is_sqlite:
            connection.execute(statement, rows)
            return []

        unless_there = statement.on_conflict_do_nothing(index_elements=["app_id", "external_id"])
        inserted = connection.execute(
            unless_there.returning(users.c.external_id),
            rows,
        )
        made = set(inserted.scalars())
        return [user for user in new if user.external_id not in made]


def _columns(user: User, names: Sequence[str]) -> Mapping[str, Any]:
    return as_columns({name: getattr(user, name) for name in names})
