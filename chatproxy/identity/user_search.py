"""Users found by a text or by what their fields are, instead of by their id.

Both databases find the same users: what differs in case is in `any_case`, and where case counts
LIKE is not used, which overlooks it on SQLite.
"""

from collections.abc import Sequence

from sqlalchemy import Column, ColumnElement, func, or_, select

from chatproxy.identity import any_case
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
            rows = connection.execute(reading.offset(offset).limit(limit)).all()

        return list(users_from(rows)), total

    def _meets(self, condition: Condition) -> ColumnElement[bool]:
        column = users.c[condition.field]

        if condition.operator == "in":
            return column.in_(condition.values)

        (text,) = condition.values
        at_start = condition.operator == "begins"

        if condition.any_case:
            return self._contains(column, text, at_start=at_start)

        return self._holds(column, text, at_start=at_start)

    def _contains(
        self, column: Column[str], text: str, *, at_start: bool = False
    ) -> ColumnElement[bool]:
        """In any case."""
        if not self._database.is_sqlite:
            folded = any_case.folded(column, text, self._database.can_hold)
            return self._holds(*folded, at_start=at_start)

        if text.isascii():
            return self._holds(func.lower(column), text.lower(), at_start=at_start)

        # Python matches row by row, faster than SQLite replaces one letter after the other.
        return column.regexp_match((r"\A" if at_start else "") + any_case.pattern(text))

    def _holds(
        self, column: ColumnElement[str], text: str, *, at_start: bool
    ) -> ColumnElement[bool]:
        position = func.instr if self._database.is_sqlite else func.strpos
        place = position(column, text)
        return place == 1 if at_start else place > 0
