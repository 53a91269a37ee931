"""Devices: from which a user was seen, and when last."""

import collections
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from sqlalchemy import Executable, delete, literal, select

from chatproxy.identity.database import Database
from chatproxy.identity.last_seen import is_due, write_if_free
from chatproxy.identity.tables import devices, users
from chatproxy.identity.user_rows import ACTIVE

#: Devices that are stored for one user. A client makes its ids up, and must not be able to
#: fill the directory with them.
MOST_DEVICES = 20

#: Pairs of user and device for which a worker remembers when it wrote them last.
REMEMBERED = 10_000

NEWEST_FIRST = (devices.c.last_seen.desc(), devices.c.device_id)


class Devices:
    """The devices of the directory."""

    def __init__(
        self, database: Database, now: Callable[[], float], monotonic: Callable[[], float]
    ) -> None:
        self._database = database
        self._now = now
        self._monotonic = monotonic
        self._written: collections.OrderedDict[tuple[str, str], float] = collections.OrderedDict()

    def note(self, user_id: str, device_id: str) -> None:
        """Note that a user, by our id, was seen on a device; see `last_seen`."""
        pair, moment = (user_id, device_id), self._monotonic()

        if not is_due(self._written.get(pair), moment):
            return

        if not write_if_free(self._database, self._statements(user_id, device_id)):
            return

        # Removed first, so that it goes to the end. Another thread may have dropped it already.
        self._written.pop(pair, None)
        self._written[pair] = moment

        if len(self._written) > REMEMBERED:
            self._written.popitem(last=False)

    def of(self, user_ids: Collection[str]) -> Mapping[str, Sequence[tuple[str, float]]]:
        """Return the devices of users, by our ids, with the time last seen, newest first."""
        found: dict[str, list[tuple[str, float]]] = {user_id: [] for user_id in user_ids}

        if not found:
            return found

        wanted = select(devices).where(devices.c.user_id.in_(found)).order_by(*NEWEST_FIRST)

        for row in self._database.rows(wanted):
            found[row.user_id].append((row.device_id, row.last_seen))

        return found

    def _statements(self, user_id: str, device_id: str) -> Iterator[Executable]:
        now = self._now()
        # Selected from the users: one who was deleted meanwhile gets no device any more.
        row = select(users.c.id, literal(device_id), literal(now)).where(
            users.c.id == user_id, ACTIVE
        )
        statement = self._database.insert(devices).from_select(devices.columns.keys(), row)
        yield statement.on_conflict_do_update(
            index_elements=["user_id", "device_id"], set_={"last_seen": now}
        )
        mine = devices.c.user_id == user_id
        newest = select(devices.c.device_id).where(mine).order_by(*NEWEST_FIRST)
        kept = newest.limit(MOST_DEVICES).scalar_subquery()
        yield delete(devices).where(mine, devices.c.device_id.not_in(kept))
