"""When each API key was last used: noted at each use, written once in a while."""

from collections.abc import Callable

from sqlalchemy import update

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.engine import Database
from chatproxy.identity.models import api_keys

#: Seconds from one writing to the next.
FLUSH_EVERY = 60.0


class Uses:
    """The times of use that are not written yet."""

    def __init__(
        self, database: Database, now: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._now = now
        self._monotonic = monotonic
        self._used: dict[str, float] = {}
        self._flushed = monotonic()

    def note(self, key_id: str) -> None:
        """Note a use; write all that is noted with the first one a minute after the last time.

        A fault of that is nobody's failure, and nobody waits for it.
        """
        self._used[key_id] = self._now()

        if self._monotonic() - self._flushed >= FLUSH_EVERY:
            try:
                self.flush()
            except DirectoryUnavailable:
                return

    def flush(self) -> None:
        """Write what is noted, unless somebody else is writing; raise `DirectoryUnavailable`."""
        used, self._used = self._used, {}
        self._flushed = self._monotonic()

        if not used:
            return

        try:
            self._write(used)
        except DirectoryUnavailable:
            self._used = used | self._used  # for the next time
            raise

    def _write(self, used: dict[str, float]) -> None:
        with self._database.writing(durable=False, waits=False) as connection:
            for key_id, moment in sorted(used.items()):  # in one order, so that two cannot lock
                later = (api_keys.c.last_used.is_(None)) | (api_keys.c.last_used < moment)
                place = api_keys.c.id == key_id
                connection.execute(update(api_keys).where(place & later).values(last_used=moment))
