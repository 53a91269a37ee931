"""Badges: for each client a count by source, and their sum.

Who sets a badge shows no credential, so what is kept is bounded: clients for each app, and
sources for each client. Reading makes nobody.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, func, select, update

from chatproxy.errors import MalformedBody, NoRoom
from chatproxy.identity.database import Database
from chatproxy.identity.records import Badge
from chatproxy.identity.tables import badges
from chatproxy.turns import Turns

#: Sources that one client may have. Whoever may set one makes its name up.
MOST_SOURCES = 100

#: Clients that `Badges.all` returns at most.
MOST_LISTED = 1000

#: Seconds for which a count of an app's clients is used. Counting 100,000 takes tens of
#: milliseconds, in which the worker does nothing else.
COUNTED_FOR = 5.0

#: Rows that are read before other requests get their turn.
TURN = 5000


class ClientCounts:
    """How many clients of each app have badges.

    What other processes add in `COUNTED_FOR` seconds is not seen, so that the bound may be
    exceeded by as much.
    """

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._counts: dict[str, tuple[int, float]] = {}

    def of(self, app_id: str) -> int:
        """Return the number."""
        count, until = self._counts.get(app_id, (0, 0.0))

        if (now := self._monotonic()) >= until:
            clients = select(badges.c.client_id).where(_of_app(app_id)).distinct().subquery()

            with self._database.reading() as connection:
                found = connection.execute(select(func.count()).select_from(clients))
                count = int(found.scalar_one())

            self._counts[app_id] = count, now + COUNTED_FOR

        return count

    def added(self, app_id: str) -> None:
        """Take note of one more."""
        if app_id in self._counts:
            count, until = self._counts[app_id]
            self._counts[app_id] = count + 1, until


class Badges:
    """The badges of the directory, of clients that need not be users of it.

    `always` are the sources that every client has from the start, at least one. The first
    one's row stands for the client: who adds a source locks it.
    """

    def __init__(self, database: Database, counts: ClientCounts, always: Sequence[str]) -> None:
        self._database = database
        self._counts = counts
        self._always = tuple(always)

    def set(
        self, app_id: str, client_id: str, source: str, count: int, *, most_clients: int
    ) -> Badge:
        """Set one count. An app gets no more than so many clients.

        Raises `IdentityError` for an unknown app, `MalformedBody` for one source too many, `NoRoom`
        for one client too many.
        """
        client = _of_clients(app_id, [client_id])

        with self._database.writing() as connection:
            # Writers of different sources do not wait for each other: only this row is locked.
            row = client & (badges.c.source == source)
            changed = connection.execute(update(badges).where(row).values(count=count))

            # The usual case writes one row and ends here.
            if changed.rowcount:
                return self._read(connection, client)[client_id]

        # Outside a write: counting takes a while, and SQLite has one writer at a time.
        is_new = self._is_new(app_id, client_id, most_clients)

        with self._database.writing(refusal=f"there is no app {app_id}") as connection:
            self._add(connection, app_id, client_id, source, count)
            badge = self._read(connection, client)[client_id]

        if is_new:
            self._counts.added(app_id)

        return badge

    def of(self, app_id: str, client_ids: Sequence[str]) -> list[Badge]:
        """Return the badges of clients, in their order; unknown ones have zeros."""
        if not client_ids:
            return []

        with self._database.reading() as connection:
            found = self._read(connection, _of_clients(app_id, client_ids))

        return [found.get(client_id, self._badge(client_id, {})) for client_id in client_ids]

    def all(self, app_id: str, most: int = MOST_LISTED) -> list[Badge]:
        """Return the badges of an app's clients, by id. Beyond `most` some are left out."""
        some = (
            select(badges.c.client_id)
            .where(badges.c.app_id == app_id)
            .distinct()
            .order_by(badges.c.client_id)
            .limit(most)
        )

        with self._database.reading() as connection:
            found = self._read(connection, _of_app(app_id) & badges.c.client_id.in_(some))

        return [found[client_id] for client_id in sorted(found)]

    def total(self, app_id: str, client_id: str) -> int:
        """Return the sum of a client's counts; an unknown client has 0."""
        adding = select(func.coalesce(func.sum(badges.c.count), 0))

        with self._database.reading() as connection:
            found = connection.execute(adding.where(_of_client(app_id, client_id)))
            return int(found.scalar_one())

    def _is_new(self, app_id: str, client_id: str, most: int) -> bool:
        """Say whether a client has no badges yet; raise `NoRoom` if it may not get any."""
        row = self._database.row(
            select(badges.c.source).where(_of_client(app_id, client_id)).limit(1)
        )

        if row is None and self._counts.of(app_id) >= most:
            raise NoRoom(f"Badges are kept of {most} clients at most, and there are as many.")

        return row is None

    def _add(
        self, connection: Connection, app_id: str, client_id: str, source: str, count: int
    ) -> None:
        """Set a source that was not there a moment ago; raise `MalformedBody`."""
        client = _of_client(app_id, client_id)
        zeros = [
            {"app_id": app_id, "client_id": client_id, "source": one, "count": 0}
            for one in self._always
        ]
        connection.execute(self._database.insert(badges).on_conflict_do_nothing(), zeros)
        # The client's first row is locked before its sources are counted, so that the count is
        # exact. No other row of this client is locked by us yet, so whoever holds it cannot be
        # waiting for us. (SQLite has one writer at a time, and leaves the clause out.)
        first = select(badges.c.source).where(client, badges.c.source == self._always[0])
        connection.execute(first.with_for_update())
        known = connection.execute(select(badges.c.source).where(client)).scalars().all()

        if source not in known and len(known) >= MOST_SOURCES:
            raise MalformedBody(f"source: a client has at most {MOST_SOURCES} of them")

        row = {"app_id": app_id, "client_id": client_id, "source": source, "count": count}
        setting = self._database.insert(badges).on_conflict_do_update(
            index_elements=badges.primary_key.columns, set_={"count": count}
        )
        connection.execute(setting, row)

    def _read(self, connection: Connection, wanted: ColumnElement[bool]) -> dict[str, Badge]:
        """Return the clients whose rows are wanted, by id, all in one statement."""
        columns = (badges.c.client_id, badges.c.source, badges.c.count)
        counts: dict[str, dict[str, int]] = {}

        # 1,000 clients may have 100,000 rows.
        for rows in connection.execute(select(*columns).where(wanted)).partitions(TURN):
            for client_id, source, count in rows:
                counts.setdefault(client_id, {})[source] = count

            time.sleep(0)  # let the worker's other requests run

        turns = Turns(TURN)
        found: dict[str, Badge] = {}

        for client_id, of_client in counts.items():
            found[client_id] = self._badge(client_id, of_client)
            turns.count(len(of_client))

        return found

    def _badge(self, client_id: str, counts: Mapping[str, int]) -> Badge:
        """Return a badge: the sources that every client has come first, the others sorted."""
        others = {source: counts[source] for source in sorted(counts)}
        return Badge(client_id, dict.fromkeys(self._always, 0) | others)


def _of_app(app_id: str) -> ColumnElement[bool]:
    return badges.c.app_id == app_id


def _of_client(app_id: str, client_id: str) -> ColumnElement[bool]:
    return _of_app(app_id) & (badges.c.client_id == client_id)


def _of_clients(app_id: str, client_ids: Iterable[str]) -> ColumnElement[bool]:
    return _of_app(app_id) & badges.c.client_id.in_(set(client_ids))
