"""When users, devices and keys were last seen: written once a minute at most.

The minute is exact enough for whoever reads it, and a write for each request would be the
most expensive part of the request. So nobody waits for these writes and no caller
fails with them: when the database is busy or away, a later sight tries again.
"""

from collections.abc import Callable, Iterable, Iterator

from sqlalchemy import Executable, update

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.database import Database
from chatproxy.identity.tables import api_keys

#: Seconds by which what is stored may be behind.
SEEN_EVERY = 60.0


def is_due(last: float | None, now: float) -> bool:
    """Say whether a minute has passed since the last writing."""
    # A last time in the future was written before the clock was set back: it must not stay.
    return last is None or not 0 <= now - last < SEEN_EVERY


def write_if_free(database: Database, statements: Iterable[Executable]) -> bool:
    """Write unless somebody else is writing; say whether it was written."""
    try:
        with database.writing(durable=False, waits=False) as connection:
            for statement in statements:
                connection.execute(statement)
    except DirectoryUnavailable:
        return False

    return True


class KeyUses:
    """The times at which keys were used, written together.

    A key is used by every request of a service, in every worker. Collecting them costs one
    transaction a minute for each worker, however many keys there are.
    """

    def __init__(
        self, database: Database, now: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._now = now
        self._monotonic = monotonic
        self._used: dict[str, float] = {}
        self._flushed = monotonic()

    def note(self, key_id: str) -> None:
        """Note a use; the first one a minute after the last writing writes them all."""
        self._used[key_id] = self._now()

        if is_due(self._flushed, self._monotonic()):
            self.flush()

    def flush(self) -> None:
        """Write what was noted, or keep it for the next time."""
        # Replaced before it is written: a use noted meanwhile goes into the new dictionary.
        used, self._used = self._used, {}
        self._flushed = self._monotonic()

        if used and not write_if_free(self._database, _updates(used)):
            self._used = used | self._used  # what was noted meanwhile is later


def _updates(used: dict[str, float]) -> Iterator[Executable]:
    for key_id, moment in sorted(used.items()):  # in one order: two workers must not deadlock
        # Another worker may have written a later use.
        later = (api_keys.c.last_used.is_(None)) | (api_keys.c.last_used < moment)
        yield update(api_keys).where(api_keys.c.id == key_id, later).values(last_used=moment)
