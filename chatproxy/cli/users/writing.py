"""How the rows of an import get into the directory: in batches, as far as they are good."""

import contextlib
import dataclasses
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from chatproxy.cli.exits import Failure
from chatproxy.cli.interruption import Interruption
from chatproxy.cli.users.records import Record
from chatproxy.errors import CallerError, DirectoryUnavailable
from chatproxy.identity.bulk_users import Counts
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import Profile
from chatproxy.web.user_schema import read_user

#: Rows that are written in one transaction. Others who write wait for about 50 ms meanwhile.
BATCH = 500

Reject = Callable[[Record, str], None]


@dataclasses.dataclass(frozen=True)
class Row:
    """A user of a record."""

    record: Record
    user_id: str
    profile: Profile


class Import:
    """Takes records into an app. Good ones get in, bad ones are told to `reject`.

    `next_line` is the line of the first record that is not in yet, as far as it is good.
    `is_ending` says that all of them are just getting in, or are in.
    """

    def __init__(self, directory: Directory, app: str, reject: Reject, stop: Interruption) -> None:
        self.counts = _none()
        self.next_line = 1
        self.is_ending = False
        self._directory = directory
        self._app = app
        self._reject = reject
        self._stop = stop

    def take(self, records: Iterable[Record]) -> None:
        """Write what is good; raise `DirectoryUnavailable` where the database fails."""
        for batch in self._batches(records):
            with self._stop.step():
                self._write(batch)

    def take_all_or_nothing(self, records: Iterable[Record]) -> bool:
        """Write all, or nothing where one is bad; say which."""
        is_good = True

        def reject(record: Record, reason: str) -> None:
            nonlocal is_good
            is_good = False
            whole(record, reason)

        whole, self._reject = self._reject, reject

        with contextlib.suppress(_Undone), self._directory.bulk_users.putting(self._app) as put:
            for batch in self._batches(records):
                # All of the bad ones are told. What is good is only looked at from then on.
                if is_good:
                    with self._stop.step():
                        self._put(batch, put)

            if not is_good:
                raise _Undone

            # Ended within the commit, nobody would know what became of it.
            self._stop.comes_too_late()
            self.is_ending = True

        if not is_good:
            self.counts = _none()

        return is_good

    def _batches(self, records: Iterable[Record]) -> Iterator[list[Row]]:
        batch: list[Row] = []

        for record in records:
            if not batch:
                self.next_line = record.line

            if (row := self._read(record)) is not None:
                batch.append(row)

            if len(batch) == BATCH:
                yield batch
                batch = []

        if batch:
            yield batch

    def _read(self, record: Record) -> Row | None:
        if record.fault:
            self._reject(record, record.fault)
            return None

        try:
            return Row(record, *read_user(record.document))
        except CallerError as error:
            self._reject(record, error.message)
            return None

    def _write(self, batch: list[Row]) -> None:
        rows = [(row.user_id, row.profile) for row in batch]

        try:
            self.counts.update(self._directory.bulk_users.put(self._app, rows))
        except (CallerError, DirectoryUnavailable):
            # One at a time, to find out which it is.
            for row in batch:
                self._write_one(row)

        self.next_line = batch[-1].record.line + 1

    def _write_one(self, row: Row) -> None:
        self.next_line = row.record.line

        try:
            _, action = self._directory.users.upsert(
                self._app, row.user_id, row.profile, seen=False
            )
            self.counts[action] += 1
        except CallerError as error:
            self._reject(row.record, error.message)

    def _put(self, batch: list[Row], put: Callable[..., Counts]) -> None:
        first, last = batch[0].record.line, batch[-1].record.line

        try:
            self.counts.update(put([(row.user_id, row.profile) for row in batch]))
        except CallerError as error:
            raise Failure(f"lines {first} to {last}: {error.message}; nothing is in") from error


def _none() -> Counts:
    return Counter({"created": 0, "updated": 0, "existing": 0})


class _Undone(Exception):  # noqa: N818 - it ends a transaction
    """Nothing of an import is to stay."""
