"""The rows of users: how they are selected, and made into `User`."""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Select, select

from chatproxy.identity.database import AnyRow
from chatproxy.identity.records import User
from chatproxy.identity.tables import apps, users
from chatproxy.turns import Turns

#: What every selection of users begins with: the fields of `User`, in their order.
*OWN, OF_APP = (field.name for field in dataclasses.fields(User))
COLUMNS = (*(users.c[name] for name in OWN), apps.c.token_version.label(OF_APP))
CUSTOM = OWN.index("custom")

#: Characters of metadata that are parsed before other requests get their turn.
TURN = 256 * 1024

ACTIVE = users.c.active.is_(True)

#: What a token must carry to be valid, as `User.version` has it.
VERSION = users.c.token_version + apps.c.token_version


def all_users() -> Select[Any]:
    """Select the users of all apps, deleted ones included."""
    return select(*COLUMNS).select_from(users).join(apps, apps.c.id == users.c.app_id)


def users_of(app_id: str | BindParameter[Any]) -> Select[Any]:
    """Select the users of an app, deleted ones included."""
    return all_users().where(users.c.app_id == app_id)


def for_update(wanted: Select[Any]) -> Select[Any]:
    """Lock the users' rows, and not their app's, until the transaction ends.

    On SQLite the clause is left out: there the transaction holds the only write lock.
    """
    return wanted.with_for_update(of=users)


def first_user(connection: Connection, wanted: Select[Any], **values: Any) -> User | None:
    """Return the first user of a selection, with these values for its names."""
    row = connection.execute(wanted, values).first()
    return None if row is None else user_of(row)


def users_from(rows: Iterable[AnyRow]) -> Iterator[User]:
    """Make users of rows. The metadata of 100 users may be megabytes of JSON."""
    turns = Turns(TURN)

    for row in rows:
        yield user_of(row)
        turns.count(len(row.custom))


def user_of(row: Sequence[Any]) -> User:
    """Make a user of a row, which may have further columns behind."""
    values = list(row[: len(COLUMNS)])
    values[CUSTOM] = json.loads(values[CUSTOM])
    return User(*values)
