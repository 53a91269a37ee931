"""One user: what is known of a person of an app, and its row in the directory."""

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, Table, case, select

from chatproxy.errors import MalformedBody
from chatproxy.identity.models import apps, users

#: Bytes that the custom metadata of one user may have. It grows by merging.
LARGEST_CUSTOM = 64 * 1024


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


def ending_all(table: Table, now: float) -> dict[str, Any]:
    """Return what ends all tokens of a user or an app: the columns of `users` or `apps`.

    The moment never goes back: a clock that does must not revive what it ended before.
    """
    before = table.c.tokens_valid_after
    return {
        "token_version": table.c.token_version + 1,
        "tokens_valid_after": case((before > now, before), else_=now),
    }


def news(user: User, profile: Profile) -> dict[str, Any]:
    """Return the fields that the profile changes."""
    said = {"name": profile.name, "image": profile.image, "email": profile.email}
    found: dict[str, Any] = {
        field: value
        for field, value in said.items()
        if value is not None and value != getattr(user, field)
    }
    merged = {**user.custom, **(profile.custom or {})}

    if _sorted(merged) != _sorted(user.custom):
        found["custom"] = merged

    return found


def _sorted(custom: Mapping[str, Any]) -> str:
    """Return a text to compare metadata by: Python takes 1, 1.0 and True for equal."""
    return json.dumps(custom, sort_keys=True)


def stored(changes: Mapping[str, Any]) -> dict[str, Any]:
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


def find(
    connection: Connection, app_id: str, external_id: str, *, lock: bool = False
) -> User | None:
    """Return the user with the caller's id, a deleted one included; `lock` holds its row."""
    wanted = users_of(app_id).where(users.c.external_id == external_id)
    wanted = wanted.with_for_update(of=users) if lock else wanted
    row = connection.execute(wanted).mappings().first()
    return None if row is None else user_of(row)


def user_of(row: RowMapping | Mapping[str, Any]) -> User:
    """Make a user of its row."""
    return User(**{**row, "custom": json.loads(row["custom"])})
