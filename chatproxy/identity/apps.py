"""Apps: each has its own users and keys."""

import dataclasses
import re
import uuid
from collections.abc import Callable

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from chatproxy.errors import CallerError
from chatproxy.identity.engine import Database
from chatproxy.identity.models import apps

#: The app that is there from the start.
DEFAULT = "default"

APP_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
LONGEST_NAME = 255


class IdentityError(CallerError):
    """A command asked for something that cannot be done; the message says what to do instead."""


@dataclasses.dataclass(frozen=True)
class App:
    """One app. Times are epoch seconds."""

    id: str
    name: str
    created: float


class Apps:
    """The apps of the directory."""

    def __init__(self, database: Database, now: Callable[[], float]) -> None:
        self._database = database
        self._now = now

    def create(self, name: str, app_id: str | None = None) -> App:
        """Make an app; its id is made up where none is given. Raises `IdentityError`."""
        made_up = str(uuid.uuid4())
        app = App(made_up if app_id is None else app_id, named(name), self._now())

        if not APP_ID.fullmatch(app.id):
            raise IdentityError("an app's id is 1 to 64 of the characters A-Z a-z 0-9 . _ ~ -")

        row = dataclasses.asdict(app) | {"token_version": 0, "tokens_valid_after": None}

        try:
            with self._database.writing() as connection:
                connection.execute(insert(apps).values(row))
        except IntegrityError as error:
            raise IdentityError(f"there is an app {app.id} already") from error

        return app

    def list(self) -> list[App]:
        """Return all apps, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(apps.c.id, apps.c.name, apps.c.created).order_by(apps.c.created, apps.c.id)
            )
            return [App(*row) for row in rows]


def named(name: str) -> str:
    """Return a name without the white space around it; raise `IdentityError` for none."""
    name = name.strip()

    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise IdentityError(f"a name is 1 to {LONGEST_NAME} printable characters")

    return name
