"""Finding users in other ways than by the id that the caller knows."""

import dataclasses
from collections.abc import Sequence

from sqlalchemy import ColumnElement, Select, and_, func, select

from chatproxy.identity.engine import Database
from chatproxy.identity.models import apps, users
from chatproxy.identity.users import User, user_of


@dataclasses.dataclass(frozen=True)
class Filter:
    """What users must have; None asks for nothing."""

    external_id: str | None = None
    name: str | None = None
    email: str | None = None


class UserFinder:
    """Reads users. Deleted ones are never found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_our_id(self, app_id: str, user_id: str) -> User | None:
        """Return the user of the app that we know by this id."""
        with self._database.reading() as connection:
            row = connection.execute(_users(app_id).where(users.c.id == user_id)).mappings().first()

        return None if row is None else user_of(row)

    def page(
        self, app_id: str, wanted: Filter, offset: int, limit: int
    ) -> tuple[Sequence[User], int]:
        """Return some of the users that fit, oldest first, and how many fit in all."""
        fits = [
            column == value
            for column, value in (
                (users.c.external_id, wanted.external_id),
                (users.c.name, wanted.name),
                (users.c.email, wanted.email),
            )
            if value is not None
        ]
        counting = select(func.count()).select_from(users).where(_of(app_id), *fits)
        reading = _users(app_id).where(*fits).order_by(users.c.created, users.c.id)

        with self._database.reading() as connection:
            total = connection.execute(counting).scalar_one()
            rows = connection.execute(reading.offset(offset).limit(limit)).mappings()
            return [user_of(row) for row in rows], total


def _users(app_id: str) -> Select[tuple[object, ...]]:
    return (
        select(users, apps.c.token_version.label("app_version"))
        .join(apps, apps.c.id == users.c.app_id)
        .where(_of(app_id))
    )


def _of(app_id: str) -> ColumnElement[bool]:
    return and_(users.c.app_id == app_id, users.c.active.is_(True))
