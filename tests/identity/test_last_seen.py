"""When users, devices and keys were last seen: once a minute, and nobody waits or fails."""

import contextlib
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity import timeouts
from chatproxy.identity.directory import Directory
from chatproxy.identity.keys import Keys
from chatproxy.identity.last_seen import SEEN_EVERY, is_due
from chatproxy.identity.records import DEFAULT_APP, Profile
from tests.identity.databases import on_sqlite, statements
from tests.stopwatch import Stopwatch


class Sight:
    """One thing that is seen again and again."""

    def __init__(self, worker: Directory) -> None:
        self._worker = worker
        self._user, _ = worker.users.upsert(DEFAULT_APP, "alice", Profile())
        self._key = worker.keys.create("backend", DEFAULT_APP)

    def again(self) -> None:
        raise NotImplementedError

    def stored(self) -> float | None:
        raise NotImplementedError


class UserSight(Sight):
    def again(self) -> None:
        user = self._worker.users.find(DEFAULT_APP, "alice")
        assert user is not None
        self._worker.users.seen(user)

    def stored(self) -> float | None:
        user = self._worker.users.find(DEFAULT_APP, "alice")
        return user and user.last_seen


class DeviceSight(Sight):
    def again(self) -> None:
        self._worker.devices.note(self._user.id, "phone")

    def stored(self) -> float | None:
        found = self._worker.devices.of([self._user.id])[self._user.id]
        return dict(found).get("phone")


class KeySight(Sight):
    def again(self) -> None:
        assert self._worker.keys.find(self._key.text)

    def stored(self) -> float | None:
        return self._worker.keys.list()[0].last_used


Wait = Callable[[float], None]


@pytest.fixture
def wait(clock: Stopwatch, elapsed: Stopwatch) -> Wait:
    def wait_for(seconds: float) -> None:
        clock.now += seconds
        elapsed.now += seconds

    return wait_for


@pytest.fixture(params=[UserSight, DeviceSight, KeySight], ids=["user", "device", "key"])
def sight(request: pytest.FixtureRequest, worker: Directory, wait: Wait) -> Sight:
    made: Sight = request.param(worker)
    wait(SEEN_EVERY)
    made.again()
    return made


def test_it_is_written(sight: Sight, clock: Stopwatch) -> None:
    assert sight.stored() == clock.now


def test_within_a_minute_nothing_is_written(sight: Sight, worker: Directory, wait: Wait) -> None:
    wait(SEEN_EVERY - 0.01)

    with statements(worker) as seen:
        sight.again()

    assert not [one for one in seen if not one.startswith("SELECT")]


def test_after_a_minute_it_is_written_again(sight: Sight, clock: Stopwatch, wait: Wait) -> None:
    wait(SEEN_EVERY)
    sight.again()

    assert sight.stored() == clock.now


def away(**_: object) -> None:
    raise DirectoryUnavailable(detail="the disk is full")


def test_what_cannot_be_written_fails_nobody_and_is_tried_again(
    sight: Sight,
    worker: Directory,
    clock: Stopwatch,
    wait: Wait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = clock.now
    wait(SEEN_EVERY)

    with monkeypatch.context() as patched:
        patched.setattr(worker.database, "writing", away)
        sight.again()

    assert sight.stored() == before

    wait(SEEN_EVERY)
    sight.again()
    assert sight.stored() == clock.now


@on_sqlite
def test_nobody_waits_for_a_busy_file(
    sight: Sight, worker: Directory, clock: Stopwatch, wait: Wait, database_url: str
) -> None:
    before = clock.now
    wait(SEEN_EVERY)
    begin = time.monotonic()

    with contextlib.closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as other:
        other.isolation_level = None
        other.execute("BEGIN EXCLUSIVE")
        sight.again()

    assert time.monotonic() - begin < timeouts.BUSY / 2
    assert sight.stored() == before
    assert worker.database.fault == ""


@pytest.mark.parametrize(
    ("last", "due"),
    [(None, True), (0.0, True), (40.0, True), (40.1, False), (100.0, False), (100.1, True)],
)
def test_a_time_is_due_when_it_is_old_or_ahead(last: float | None, due: bool) -> None:
    assert is_due(last, 100.0) is due
    assert SEEN_EVERY == 60


def used(keys: Keys) -> list[float | None]:
    return [key.last_used for key in keys.list()]


def test_the_uses_of_all_keys_are_written_together(
    worker: Directory, elapsed: Stopwatch, clock: Stopwatch
) -> None:
    made = [worker.keys.create(name, DEFAULT_APP) for name in "ab"]
    elapsed.now = SEEN_EVERY - 0.1

    with statements(worker) as seen:
        for _ in range(20):
            clock.now += 1
            worker.keys.find(made[0].text)
            worker.keys.find(made[1].text)

        assert not any(statement.startswith("UPDATE") for statement in seen)
        elapsed.now = SEEN_EVERY
        worker.keys.find(made[0].text)

    assert sum(statement.startswith("UPDATE") for statement in seen) == 2
    assert used(worker.keys) == [clock.now, clock.now]


def test_the_last_uses_are_written_at_the_end(
    worker: Directory, directory: Directory, clock: Stopwatch
) -> None:
    worker.keys.find(worker.keys.create("backend", DEFAULT_APP).text)
    assert used(directory.keys) == [None]

    worker.close()
    assert used(directory.keys) == [clock.now]


def test_an_end_without_a_database_is_quiet(
    worker: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.keys.find(worker.keys.create("backend", DEFAULT_APP).text)
    monkeypatch.setattr(worker.database, "writing", away)

    worker.close()


def test_a_use_that_was_not_written_is_kept(
    worker: Directory, directory: Directory, clock: Stopwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker.keys.find(worker.keys.create("backend", DEFAULT_APP).text)
    noted = clock.now

    with monkeypatch.context() as patched:
        patched.setattr(worker.database, "writing", away)
        worker.keys.flush_uses()

    clock.now += 1
    worker.keys.flush_uses()
    assert used(directory.keys) == [noted]


def test_the_latest_use_of_all_workers_is_kept(
    worker: Directory, directory: Directory, clock: Stopwatch
) -> None:
    made = worker.keys.create("backend", DEFAULT_APP)
    worker.keys.find(made.text)
    clock.now += 10
    directory.keys.find(made.text)
    directory.keys.flush_uses()
    worker.keys.flush_uses()

    assert used(directory.keys) == [clock.now]


def test_uses_are_written_in_one_order(worker: Directory) -> None:
    """Two workers that write the same keys in two orders wait for each other."""
    keys = [worker.keys.create("backend", DEFAULT_APP) for _ in range(3)]
    ids = sorted(key.key.id for key in keys)
    written: list[str] = []

    for key in sorted(keys, key=lambda key: key.key.id, reverse=True):
        worker.keys.find(key.text)

    def note(_connection: object, _cursor: object, _statement: str, values: Any, *_: Any) -> None:
        found = values.values() if isinstance(values, dict) else values
        written.extend(value for value in found if value in ids)

    event.listen(worker.database.engine, "before_cursor_execute", note)
    worker.keys.flush_uses()

    assert written == ids
