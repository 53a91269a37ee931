"""Finding users in other ways than by the id that the caller knows."""

import dataclasses
import re
from collections.abc import Collection, Sequence
from typing import Literal

from sqlalchemy import Column, ColumnElement, func, or_, select

from chatproxy.identity.engine import Database
from chatproxy.identity.models import users
from chatproxy.identity.user import User, all_users, user_of, users_of

#: Digits of a number that every reader of JSON takes for the same.
MOST_DIGITS = 16

ACTIVE = users.c.active.is_(True)


Field = Literal["external_id", "name", "image", "email"]
Operator = Literal["in", "holds", "begins"]


@dataclasses.dataclass(frozen=True)
class Condition:
    """What a user's field must be: one of the values, or a text that holds or begins with one."""

    field: Field
    operator: Operator
    values: Sequence[str]
    any_case: bool = False


class UserFinder:
    """Reads users. Deleted ones are never found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_our_id(self, user_id: str) -> User | None:
        """Return the user that we know by this id, whichever app's."""
        with self._database.reading() as connection:
            row = (
                connection.execute(all_users().where(users.c.id == user_id, ACTIVE))
                .mappings()
                .first()
            )

        return None if row is None else user_of(row)

    def find_many(self, app_id: str, external_ids: Collection[str]) -> dict[str, User]:
        """Return the users that the caller knows by these ids, by id, without deleted ones.

        It takes one statement, with a parameter for each id; for no id it takes none.
        """
        if not external_ids:
            return {}

        wanted = users_of(app_id).where(users.c.external_id.in_(external_ids), ACTIVE)

        with self._database.reading() as connection:
            found = [user_of(row) for row in connection.execute(wanted).mappings()]

        return {user.external_id: user for user in found}

    def search(
        self, app_id: str, text: str, limit: int, *, numbers_only: bool = False
    ) -> list[User]:
        """Return users whose name or id holds the text, in any case; who has it for id is first.

        Deleted ones are not found, and neither an empty text nor one with a NUL finds
        anybody. `numbers_only` leaves out whose id is no whole number from 1, of 16 digits at most.
        """
        if not text or "\0" in text:  # PostgreSQL would refuse the latter
            return []

        places = (users.c.name, users.c.external_id)
        wanted = users_of(app_id).where(ACTIVE)
        wanted = wanted.where(or_(*(self._holds(place, text) for place in places)))

        if numbers_only:
            wanted = wanted.where(
                func.rtrim(users.c.external_id, "0123456789") == "",
                users.c.external_id.not_like("0%"),
                func.length(users.c.external_id) <= MOST_DIGITS,
            )

        ordered = wanted.order_by(users.c.external_id != text, users.c.external_id)

        with self._database.reading() as connection:
            return [user_of(row) for row in connection.execute(ordered.limit(limit)).mappings()]

    def page(
        self, app_id: str, conditions: Sequence[Condition], offset: int, limit: int
    ) -> tuple[Sequence[User], int]:
        """Return some of the users that meet all conditions, oldest first, and how many do."""
        fits = [ACTIVE, *(self._meets(one) for one in conditions)]
        counting = select(func.count()).select_from(users).where(users.c.app_id == app_id, *fits)
        reading = users_of(app_id).where(*fits).order_by(users.c.created, users.c.id)

        with self._database.reading() as connection:
            total = connection.execute(counting).scalar_one()
            rows = connection.execute(reading.offset(offset).limit(limit)).mappings()
            return [user_of(row) for row in rows], total

    def _meets(self, condition: Condition) -> ColumnElement[bool]:
        column = users.c[condition.field]

        if condition.operator == "in":
            return column.in_(condition.values)

        (text,) = condition.values

        if condition.any_case:
            return self._holds(column, text, at_start=condition.operator == "begins")

        # LIKE itself overlooks case on SQLite.
        place = func.instr(column, text) if self._database.is_sqlite else func.strpos(column, text)
        return place == 1 if condition.operator == "begins" else place > 0

    def _holds(
        self, column: Column[str], text: str, *, at_start: bool = False
    ) -> ColumnElement[bool]:
        """Compare without regard to case, which SQLite itself knows of ASCII letters only."""
        if self._database.is_sqlite and not text.isascii():
            return column.regexp_match(f"(?i){'^' if at_start else ''}{re.escape(text)}")

        if at_start:
            return column.istartswith(text, autoescape=True)

        return column.icontains(text, autoescape=True)
