"""Users found by a text or by what their fields are, instead of by their id.

The two databases compare differently. SQLite's LIKE overlooks the case of ASCII letters
only, and always does; PostgreSQL's minds it, and its ILIKE knows every alphabet. Both must
find the same users.
"""

import re
from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, func, or_, select

from chatproxy.identity.database import Database
from chatproxy.identity.records import Condition, User
from chatproxy.identity.tables import users
from chatproxy.identity.user_rows import ACTIVE, users_from, users_of

#: Digits of the longest id that is taken for a number: beyond 2^53, which has 16, readers of
#: JSON begin to differ.
MOST_DIGITS = 16


class UserSearch:
    """Searches users. Deleted ones are never found."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def by_text(
        self, app_id: str, text: str, limit: int, *, numbers_only: bool = False
    ) -> list[User]:
        """Return users whose name or id contains the text, in any case; an exact id comes first.

        An empty text finds nobody. `numbers_only` leaves out users whose id is not a whole
        number from 1, of 16 digits at most.
        """
        if not text or "\0" in text:  # a NUL is in nothing that is stored; PostgreSQL refuses it
            return []

        places = (users.c.name, users.c.external_id)
        wanted = users_of(app_id).where(ACTIVE)
        wanted = wanted.where(or_(*(self._contains(place, text) for place in places)))

        # In the query, not afterwards: or the limit would count those that are left out.
        if numbers_only:
            wanted = wanted.where(
                func.rtrim(users.c.external_id, "0123456789") == "",
                users.c.external_id.not_like("0%"),
                func.length(users.c.external_id) <= MOST_DIGITS,
            )

        ordered = wanted.order_by(users.c.external_id != text, users.c.external_id)
        return list(users_from(self._database.rows(ordered.limit(limit))))

    def page(
        self, app_id: str, conditions: Sequence[Condition], offset: int, limit: int
    ) -> tuple[Sequence[User], int]:
        """Return some of the users that meet all conditions, oldest first, and how many do."""
        fits = [ACTIVE, *(self._meets(one) for one in conditions)]
        counting = select(func.count()).select_from(users).where(users.c.app_id == app_id, *fits)
        reading = users_of(app_id).where(*fits).order_by(users.c.created, users.c.id)

        # In one connection, so that on SQLite both see the same moment.
        with self._database.reading() as connection:
            total = connection.execute(counting).scalar_one()
            rows = connection.execute(reading.offset(offset).limit(limit)).mappings().all()

        return list(users_from(rows)), total

    def _meets(self, condition: Condition) -> ColumnElement[bool]:
        column = users.c[condition.field]

        if condition.operator == "in":
            return column.in_(condition.values)

        (text,) = condition.values
        at_start = condition.operator == "begins"

        if condition.any_case:
            return self._contains(column, text, at_start=at_start)

        # Not LIKE, which overlooks case on SQLite.
        position = func.instr if self._database.is_sqlite else func.strpos
        place = position(column, text)
        return place == 1 if at_start else place > 0

    def _contains(
        self, column: Column[str], text: str, *, at_start: bool = False
    ) -> ColumnElement[bool]:
        # A regular expression is matched by Python there, row by row: only where LIKE fails.
        if self._database.is_sqlite and not text.isascii():
            return column.regexp_match(f"(?i){'^' if at_start else ''}{re.escape(text)}")

        if at_start:
            return column.istartswith(text, autoescape=True)

        return column.icontains(text, autoescape=True)
