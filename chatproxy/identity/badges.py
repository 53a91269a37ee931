"""Badges: for each client a count by source, and their sum."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, Connection, func, select, update

from chatproxy.errors import MalformedBody
from chatproxy.identity.database import Database
from chatproxy.identity.records import Badge
from chatproxy.identity.tables import badges

#: Sources that one client may have. Whoever may set one makes its name up.
MOST_SOURCES = 100

#: Clients that `Badges.all` returns at most.
MOST_CLIENTS = 1000


class Badges:
    """The badges of the directory, of clients that need not be users of it.

    `always` are the sources that every client has from the start, at least one. The first
    one's row stands for the client: who adds a source locks it.
    """

    def __init__(self, database: Database, always: Sequence[str]) -> None:
        self._database = database
        self._always = tuple(always)

    def set(self, app_id: str, client_id: str, source: str, count: int) -> Badge:
        """Set one count.

        Raises `IdentityError` for an unknown app, `MalformedBody` for one source too many.
        """
        row = _of_client(app_id, client_id) & (badges.c.source == source)

        with self._database.writing(refusal=f"there is no app {app_id}") as connection:
            # Writers of different sources do not wait for each other: only this row is locked.
            changed = connection.execute(update(badges).where(row).values(count=count))

            # A new source, which is rare: the usual case writes one row.
            if changed.rowcount == 0:
                self._add(connection, app_id, client_id, source, count)

            return self._read(connection, _of_clients(app_id, [client_id]))[client_id]

    def of(self, app_id: str, client_ids: Sequence[str]) -> list[Badge]:
        """Return the badges of clients, in their order; unknown ones are made, with zeros.

        Nothing is written where all are known. Raises `IdentityError` for an unknown app.
        """
        if not client_ids:
            return []

        with self._database.reading() as connection:
            found = self._read(connection, _of_clients(app_id, client_ids))

        if unknown := set(client_ids) - found.keys():
            with self._database.writing(refusal=f"there is no app {app_id}") as connection:
                self._insert_zeros(connection, app_id, unknown)
                found = self._read(connection, _of_clients(app_id, client_ids))

        return [found.get(client_id, self._badge(client_id, {})) for client_id in client_ids]

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
            found = self._read(connection, _of_app(app_id) & badges.c.client_id.in_(some))

        return [found[client_id] for client_id in sorted(found)]

    def total(self, app_id: str, client_id: str) -> int:
        """Return the sum of a client's counts; an unknown client has 0, and is not made."""
        adding = select(func.coalesce(func.sum(badges.c.count), 0))

        with self._database.reading() as connection:
            found = connection.execute(adding.where(_of_client(app_id, client_id)))
            return int(found.scalar_one())

    def _add(
        self, connection: Connection, app_id: str, client_id: str, source: str, count: int
    ) -> None:
        """Set a source that was not there a moment ago; raise `MalformedBody`."""
        client = _of_client(app_id, client_id)
        self._insert_zeros(connection, app_id, [client_id])
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

    def _insert_zeros(self, connection: Connection, app_id: str, client_ids: Iterable[str]) -> None:
        rows = [
            {"app_id": app_id, "client_id": client_id, "source": source, "count": 0}
            for client_id in sorted(client_ids)  # in one order: two calls must not deadlock
            for source in self._always
        ]
        connection.execute(self._database.insert(badges).on_conflict_do_nothing(), rows)

    def _read(self, connection: Connection, wanted: ColumnElement[bool]) -> dict[str, Badge]:
        """Return the clients whose rows are wanted, by id, all in one statement."""
        columns = (badges.c.client_id, badges.c.source, badges.c.count)
        counts: dict[str, dict[str, int]] = {}

        for client_id, source, count in connection.execute(select(*columns).where(wanted)):
            counts.setdefault(client_id, {})[source] = count

        return {client_id: self._badge(client_id, counts[client_id]) for client_id in counts}

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
