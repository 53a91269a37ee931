"""Apps: each has its own users and keys. And what names and ids may look like."""

import dataclasses
import re
import uuid
from collections.abc import Callable

from sqlalchemy import insert, select

from chatproxy.errors import IdentityError
from chatproxy.identity.database import Database
from chatproxy.identity.records import App
from chatproxy.identity.tables import apps

#: The characters that stay as they are in a URL (RFC 3986 section 2.3).
ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
LONGEST_NAME = 255


class Apps:
    """The apps of the directory."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def create(self, name: str, app_id: str | None = None) -> App:
        """Make an app, with an id of its own where none is given; raise `IdentityError`."""
        name = checked_name(name)
        app_id = str(uuid.uuid4()) if app_id is None else checked_id(app_id, of="an app")
        app = App(app_id, name, self._now())
        row = dataclasses.asdict(app) | {"token_version": 0, "tokens_valid_after": None}

        with self._database.writing(refusal=f"there is an app {app.id} already") as connection:
            connection.execute(insert(apps).values(row))

        return app

    def list(self) -> list[App]:
        """Return all apps, oldest first."""
        wanted = select(apps.c.id, apps.c.name, apps.c.created)
        rows = self._database.rows(wanted.order_by(apps.c.created, apps.c.id))
        return [App(*row) for row in rows]


def checked_id(text: str, *, of: str) -> str:
    """Return an id that a caller chose; raise `IdentityError` for one that is none."""
    if not ID.fullmatch(text):
        raise IdentityError(f"{of}'s id is 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -")

    return text


def checked_name(name: str) -> str:
    """Return a name without the white space around it; raise `IdentityError` for none."""
    name = name.strip()

    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise IdentityError(f"a name is 1 to {LONGEST_NAME} printable characters")

    return name
