"""Badges: for each client a count by source, and their sum."""

import contextlib
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from chatproxy.errors import MalformedBody
from chatproxy.identity.apps import IdentityError
from chatproxy.identity.engine import Database
from chatproxy.identity.models import badges

#: Sources that every client has. The first one's row stands for the client, where it is locked.
ALWAYS = ("badge", "imkit")

#: Sources that one client may have. Whoever may set one makes its name up.
MOST_SOURCES = 100

#: Clients that `Badges.all` returns at most.
MOST_CLIENTS = 1000


@dataclasses.dataclass(frozen=True)
class Badge:
    """The counts of one client, by source."""

    client_id: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """The sum of what was read in one statement: no write can fall in between."""
        return sum(self.counts.values())


class Badges:
    """The badges of the directory. A client need not be a user of it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, app_id: str, client_id: str, source: str, count: int) -> Badge:
        """Set one count. Raises `IdentityError` for no such app, `MalformedBody` for one too many.

        Writers of one source wait for each other, those of different ones do not. Who
        brings a new source holds the client meanwhile, so its number is exact.
        """
        row = _of_client(app_id, client_id) & (badges.c.source == source)

        with self._writing(app_id) as connection:
            changed = connection.execute(update(badges).where(row).values(count=count))

            if changed.rowcount == 0:
                self._add(connection, app_id, client_id, source, count)

            return _read(connection, app_id, [client_id])[client_id]

    def of(self, app_id: str, client_ids: Sequence[str]) -> list[Badge]:
        """Return the badges of clients, in their order; who is unknown is made, with zeros.

        Nothing is written where all are known. Raises `IdentityError` for no such app.
        """
        if not client_ids:
            return []

        with self._database.reading() as connection:
            found = _read(connection, app_id, client_ids)

        if unknown := set(client_ids) - found.keys():
            with self._writing(app_id) as connection:
                self._insert_zeros(connection, app_id, unknown)
                found = _read(connection, app_id, client_ids)

        return [found.get(client_id, _badge(client_id, {})) for client_id in client_ids]

    def all(self, app_id: str, most: int = MOST_CLIENTS) -> list[Badge]:
        """Return the badges of an app's clients, by id. Beyond `most` some are left out."""
        some = (
            select(badges.c.client_id)
            .where(badges.c.app_id == app_id)
            .distinct()
            .order_by(badges.c.client_id)
            .limit(most)
        )

        with self._database.reading() as connection:
            found = _found(connection, _of_app(app_id) & badges.c.client_id.in_(some))

        return [found[client_id] for client_id in sorted(found)]

    def total(self, app_id: str, client_id: str) -> int:
        """Return the sum of a client's counts, 0 for one that is unknown, and stays so."""
        adding = select(func.coalesce(func.sum(badges.c.count), 0))

        with self._database.reading() as connection:
            found = connection.execute(adding.where(_of_client(app_id, client_id)))
            return int(found.scalar_one())

    @contextlib.contextmanager
    def _writing(self, app_id: str) -> Iterator[Connection]:
        try:
            with self._database.writing() as connection:
                yield connection
        except IntegrityError as error:
            raise IdentityError(f"there is no app {app_id}") from error

    def _add(
        self, connection: Connection, app_id: str, client_id: str, source: str, count: int
    ) -> None:
        """Set a source that was not there a moment ago; raise `MalformedBody`.

        The client's first row is locked before its sources are counted. No other row is
        held by then, so that nobody who holds one can be waiting for us. (SQLite has one
        writer at a time, and no such clause.)
        """
        self._insert_zeros(connection, app_id, [client_id])
        client = _of_client(app_id, client_id)
        first = select(badges.c.source).where(client, badges.c.source == ALWAYS[0])
        connection.execute(first.with_for_update())
        known = connection.execute(select(badges.c.source).where(client)).scalars().all()

        if source not in known and len(known) >= MOST_SOURCES:
            raise MalformedBody(f"source: a client has at most {MOST_SOURCES} of them")

        row = {"app_id": app_id, "client_id": client_id, "source": source, "count": count}
        setting = self._insert().on_conflict_do_update(
            index_elements=badges.primary_key.columns, set_={"count": count}
        )
        connection.execute(setting, row)

    def _insert_zeros(self, connection: Connection, app_id: str, client_ids: Iterable[str]) -> None:
        """Make clients that are not there; in one order, so that two cannot lock each other."""
        rows = [
            {"app_id": app_id, "client_id": client_id, "source": source, "count": 0}
            for client_id in sorted(client_ids)
            for source in ALWAYS
        ]
        connection.execute(self._insert().on_conflict_do_nothing(), rows)

    def _insert(self) -> Any:
        dialect = sqlite if self._database.is_sqlite else postgresql
        return dialect.insert(badges)


def _of_app(app_id: str) -> ColumnElement[bool]:
    return badges.c.app_id == app_id


def _of_client(app_id: str, client_id: str) -> ColumnElement[bool]:
    return _of_app(app_id) & (badges.c.client_id == client_id)


def _read(connection: Connection, app_id: str, client_ids: Iterable[str]) -> dict[str, Badge]:
    return _found(connection, _of_app(app_id) & badges.c.client_id.in_(set(client_ids)))


def _found(connection: Connection, wanted: ColumnElement[bool]) -> dict[str, Badge]:
    """Return the clients whose rows fit, by id: all in one statement, sources in their order."""
    columns = (badges.c.client_id, badges.c.source, badges.c.count)
    counts: dict[str, dict[str, int]] = {}

    for client_id, source, count in connection.execute(select(*columns).where(wanted)):
        counts.setdefault(client_id, {})[source] = count

    return {client_id: _badge(client_id, counts[client_id]) for client_id in counts}


def _badge(client_id: str, counts: Mapping[str, int]) -> Badge:
    """Return a badge: the sources that every client has come first, the others in their order."""
    whole = dict.fromkeys(ALWAYS, 0) | {source: counts[source] for source in sorted(counts)}
    return Badge(client_id, whole)
