"""Users: one row for each person of an app, whichever provider's surface named it first."""

import dataclasses
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, Select, Table, case, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from chatproxy.errors import DirectoryUnavailable, MalformedBody
from chatproxy.identity.apps import IdentityError
from chatproxy.identity.engine import Database
from chatproxy.identity.models import apps, users

#: Seconds for which "last seen" may be behind: a user who changes nothing costs no write.
SEEN_EVERY = 60.0

#: Bytes that the custom metadata of one user may have. It grows by merging.
LARGEST_CUSTOM = 64 * 1024

Action = Literal["created", "updated", "existing"]


@dataclasses.dataclass(frozen=True)
class Profile:
    """What a caller says of a user. None leaves what is known alone; `custom` is merged."""

    name: str | None = None
    image: str | None = None
    email: str | None = None
    custom: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class User:
    """What is known of a user. `id` is ours, `external_id` the caller's. Times: epoch seconds."""

    id: str
    app_id: str
    external_id: str
    name: str | None
    image: str | None
    email: str | None
    custom: Mapping[str, Any]
    active: bool
    token_version: int
    tokens_valid_after: float | None
    created: float
    updated: float
    last_seen: float | None
    app_version: int

    @property
    def version(self) -> int:
        """What a token made now carries: it changes when the user's or the app's are revoked.

        Both counts only go up, so their sum never comes back to an earlier one.
        """
        return self.app_version + self.token_version


class Users:
    """The users of the directory."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def find(self, app_id: str, external_id: str) -> User | None:
        """Return the user that the caller knows by this id, None for none and for a deleted one."""
        with self._database.reading() as connection:
            user = _find(connection, app_id, external_id)

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
            known = _find(connection, app_id, external_id)

        if known is not None and known.active and not _news(known, profile):
            return self._seen(known) if seen else known, "existing"

        try:
            with self._database.writing() as connection:
                made = self._insert_new(connection, app_id, external_id)
                known = _find(connection, app_id, external_id, lock=not self._database.is_sqlite)
                assert known is not None  # noqa: S101 - it was inserted, or was there
                return self._change(connection, known, profile, made=made, seen=seen)
        except IntegrityError as error:
            raise IdentityError(f"there is no app {app_id}") from error

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
        tokens dead.
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

        return user

    def _seen(self, user: User) -> User:
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
        news = _news(user, profile)
        now = self._now()
        came_back = {} if user.active else {"active": True, "created": now}
        updated = {"updated": now} if news or came_back else {}
        changes = news | came_back | updated | ({"last_seen": now} if seen else {})

        if not changes:
            return user, "created" if made else "existing"

        changed = dataclasses.replace(user, **changes)
        connection.execute(update(users).where(users.c.id == user.id).values(_stored(changes)))

        if made or came_back:
            return changed, "created"

        return changed, "updated" if news else "existing"


def ending_all(table: Table, now: float) -> dict[str, Any]:
    """Return what ends all tokens of a user or an app: the columns of `users` or `apps`.

    The moment never goes back: a clock that does must not revive what it ended before.
    """
    before = table.c.tokens_valid_after
    return {
        "token_version": table.c.token_version + 1,
        "tokens_valid_after": case((before > now, before), else_=now),
    }


def _news(user: User, profile: Profile) -> dict[str, Any]:
    """Return the fields that the profile changes."""
    said = {"name": profile.name, "image": profile.image, "email": profile.email}
    news: dict[str, Any] = {
        field: value
        for field, value in said.items()
        if value is not None and value != getattr(user, field)
    }
    merged = {**user.custom, **(profile.custom or {})}

    if _sorted(merged) != _sorted(user.custom):
        news["custom"] = merged

    return news


def _sorted(custom: Mapping[str, Any]) -> str:
    """Return a text to compare metadata by: Python takes 1, 1.0 and True for equal."""
    return json.dumps(custom, sort_keys=True)


def _stored(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes as columns. Raises `MalformedBody` for too much metadata."""
    columns = dict(changes)

    if "custom" in columns:
        columns["custom"] = json.dumps(columns["custom"], ensure_ascii=False)

        if len(columns["custom"].encode()) > LARGEST_CUSTOM:
            raise MalformedBody(f"custom: more than {LARGEST_CUSTOM} bytes in all")

    return columns


def all_users() -> Select[Any]:
    """Select all users, deleted ones included, with what `User` needs of the app."""
    return select(users, apps.c.token_version.label("app_version")).join(
        apps, apps.c.id == users.c.app_id
    )


def users_of(app_id: str) -> Select[Any]:
    """Select the users of an app, deleted ones included."""
    return all_users().where(users.c.app_id == app_id)


def _find(
    connection: Connection, app_id: str, external_id: str, *, lock: bool = False
) -> User | None:
    wanted = users_of(app_id).where(users.c.external_id == external_id)
    wanted = wanted.with_for_update(of=users) if lock else wanted
    row = connection.execute(wanted).mappings().first()
    return None if row is None else user_of(row)


def user_of(row: RowMapping | Mapping[str, Any]) -> User:
    """Make a user of its row."""
    return User(**{**row, "custom": json.loads(row["custom"])})
