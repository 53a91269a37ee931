"""Devices: from which a user was seen, and when last."""

import collections
from collections.abc import Callable, Collection, Mapping, Sequence

from sqlalchemy import delete, literal, select
from sqlalchemy.dialects import postgresql, sqlite

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.engine import Database
from chatproxy.identity.models import devices, users
from chatproxy.identity.users import SEEN_EVERY

#: Devices that are remembered of one user. A client makes its ids up, and must not fill the
#: directory with them.
MOST_DEVICES = 20

#: Pairs of user and device of which a worker knows when it wrote them last.
REMEMBERED = 10_000


class Devices:
    """The devices of the directory."""

    def __init__(
        self, database: Database, now: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._now = now
        self._monotonic = monotonic
        self._noted: collections.OrderedDict[tuple[str, str], float] = collections.OrderedDict()

    def note(self, user_id: str, device_id: str) -> None:
        """Note that a user, by our id, was seen on a device: once a minute, and nobody waits.

        A fault of that is nobody's failure; the next call tries again.
        """
        pair, moment = (user_id, device_id), self._monotonic()

        if moment - self._noted.get(pair, -SEEN_EVERY) < SEEN_EVERY:
            return

        try:
            self._write(user_id, device_id)
        except DirectoryUnavailable:
            return

        self._noted.pop(pair, None)  # to the end with it; another thread may have let it go
        self._noted[pair] = moment

        if len(self._noted) > REMEMBERED:
            self._noted.popitem(last=False)

    def of(self, user_ids: Collection[str]) -> Mapping[str, Sequence[tuple[str, float]]]:
        """Return the devices of users, by our ids, each with its last sight, newest first."""
        found: dict[str, list[tuple[str, float]]] = {user_id: [] for user_id in user_ids}

        if not found:
            return found

        wanted = (
            select(devices)
            .where(devices.c.user_id.in_(found))
            .order_by(devices.c.last_seen.desc(), devices.c.device_id)
        )

        with self._database.reading() as connection:
            for user_id, device_id, last_seen in connection.execute(wanted):
                found[user_id].append((device_id, last_seen))

        return found

    def _write(self, user_id: str, device_id: str) -> None:
        dialect = sqlite if self._database.is_sqlite else postgresql
        now = self._now()
        # One who is deleted meanwhile gets none any more.
        row = select(users.c.id, literal(device_id), literal(now)).where(
            users.c.id == user_id, users.c.active.is_(True)
        )
        statement = dialect.insert(devices).from_select(devices.columns.keys(), row)
        newest = (
            select(devices.c.device_id)
            .where(devices.c.user_id == user_id)
            .order_by(devices.c.last_seen.desc(), devices.c.device_id)
            .limit(MOST_DEVICES)
            .scalar_subquery()
        )

        with self._database.writing(durable=False, waits=False) as connection:
            connection.execute(
                statement.on_conflict_do_update(
                    index_elements=["user_id", "device_id"], set_={"last_seen": now}
                )
            )
            connection.execute(
                delete(devices).where(
                    devices.c.user_id == user_id, devices.c.device_id.not_in(newest)
                )
            )
