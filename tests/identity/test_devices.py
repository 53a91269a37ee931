"""Devices from which a user was seen: few, now and then, and nobody waits for them."""

import contextlib
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Barrier

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from chatproxy.identity import devices, timeouts
from chatproxy.identity.devices import MOST_DEVICES, Devices
from chatproxy.identity.directory import Directory
from chatproxy.identity.last_seen import SEEN_EVERY
from chatproxy.identity.records import DEFAULT_APP, Profile
from tests.databases import run_at
from tests.identity.databases import on_postgresql, on_sqlite, statements
from tests.sidecar import free_port
from tests.stopwatch import Stopwatch

Seen = list[tuple[str, float]]


@pytest.fixture
def alice(directory: Directory) -> str:
    return directory.users.upsert(DEFAULT_APP, "alice", Profile())[0].id


def seen_of(directory: Directory, user_id: str) -> Seen:
    return list(directory.devices.of([user_id])[user_id])


def wait(seconds: float, *clocks: Stopwatch) -> None:
    for one in clocks:
        one.now += seconds


def test_a_device_is_noted(directory: Directory, alice: str, clock: Stopwatch) -> None:
    directory.devices.note(alice, "phone")

    assert seen_of(directory, alice) == [("phone", clock.now)]


def test_a_user_has_none_at_first(directory: Directory, alice: str) -> None:
    assert directory.devices.of([alice, "nobody"]) == {alice: [], "nobody": []}


def test_the_devices_of_nobody_take_no_statement(directory: Directory) -> None:
    with statements(directory) as seen:
        assert directory.devices.of([]) == {}

    assert seen == []


def test_the_devices_of_many_take_one_statement(directory: Directory, clock: Stopwatch) -> None:
    ids = [
        directory.users.upsert(DEFAULT_APP, name, Profile())[0].id for name in ("ann", "bob", "cy")
    ]

    for user_id in ids[:2]:
        directory.devices.note(user_id, f"phone of {user_id}")

    with statements(directory) as seen:
        found = directory.devices.of(ids)

    assert len(seen) == 1
    assert found == {one: [(f"phone of {one}", clock.now)] for one in ids[:2]} | {ids[2]: []}


def test_within_a_minute_nothing_is_written(
    worker: Directory, alice: str, clock: Stopwatch, elapsed: Stopwatch
) -> None:
    worker.devices.note(alice, "phone")
    wait(SEEN_EVERY - 0.01, clock, elapsed)

    with statements(worker) as seen:
        worker.devices.note(alice, "phone")

    assert seen == []


def test_after_a_minute_it_is_written_again(
    worker: Directory, alice: str, clock: Stopwatch, elapsed: Stopwatch
) -> None:
    worker.devices.note(alice, "phone")
    wait(SEEN_EVERY, clock, elapsed)
    worker.devices.note(alice, "phone")

    assert seen_of(worker, alice) == [("phone", clock.now)]


def test_a_clock_that_is_set_back_changes_nothing_of_that(
    worker: Directory, alice: str, clock: Stopwatch, elapsed: Stopwatch
) -> None:
    worker.devices.note(alice, "phone")
    wait(-3600, clock)
    wait(SEEN_EVERY, elapsed)
    worker.devices.note(alice, "phone")

    assert seen_of(worker, alice) == [("phone", clock.now)]


def test_each_pair_has_its_own_minute(worker: Directory, alice: str, clock: Stopwatch) -> None:
    bob = worker.users.upsert(DEFAULT_APP, "bob", Profile())[0].id

    for pair in ((alice, "phone"), (alice, "tablet"), (bob, "phone")):
        worker.devices.note(*pair)

    assert seen_of(worker, alice) == [("phone", clock.now), ("tablet", clock.now)]
    assert seen_of(worker, bob) == [("phone", clock.now)]


def test_another_worker_notes_the_same_device(
    directory: Directory, worker: Directory, alice: str, clock: Stopwatch
) -> None:
    directory.devices.note(alice, "phone")
    wait(1, clock)
    worker.devices.note(alice, "phone")

    assert seen_of(directory, alice) == [("phone", clock.now)]


def test_the_newest_is_first(worker: Directory, alice: str, clock: Stopwatch) -> None:
    begin = clock.now

    for name in ("b", "c", "a"):
        worker.devices.note(alice, name)
        wait(1, clock)

    assert seen_of(worker, alice) == [("a", begin + 2), ("c", begin + 1), ("b", begin)]


def test_a_user_keeps_the_newest_twenty(worker: Directory, alice: str, clock: Stopwatch) -> None:
    names = [f"device {number:02}" for number in range(MOST_DEVICES + 3)]
    bob = worker.users.upsert(DEFAULT_APP, "bob", Profile())[0].id
    worker.devices.note(bob, "the oldest of all")

    for name in names:
        wait(1, clock)
        worker.devices.note(alice, name)

    assert MOST_DEVICES == 20
    assert [name for name, _ in seen_of(worker, alice)] == names[: -MOST_DEVICES - 1 : -1]
    assert [name for name, _ in seen_of(worker, bob)] == ["the oldest of all"]


def test_one_who_is_deleted_meanwhile_has_none(directory: Directory, alice: str) -> None:
    directory.users.delete(DEFAULT_APP, "alice")
    directory.devices.note(alice, "phone")

    assert seen_of(directory, alice) == []


@contextlib.contextmanager
def held(url: str) -> Iterator[None]:
    """Hold, from elsewhere, what a note has to write: the whole file, or the user's devices."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
            other.isolation_level = None
            other.execute("BEGIN EXCLUSIVE")
            yield
    else:
        with create_engine(url, poolclass=NullPool).connect() as other:
            other.execute(text("SELECT device_id FROM devices FOR UPDATE"))
            yield


@on_sqlite
def test_nobody_waits_for_a_busy_file(directory: Directory, alice: str, database_url: str) -> None:
    begin = time.monotonic()

    with held(database_url):
        directory.devices.note(alice, "phone")

    assert time.monotonic() - begin < timeouts.BUSY / 2


@on_sqlite
def test_nobody_waits_for_a_write_of_the_same_process(directory: Directory, alice: str) -> None:
    begin = time.monotonic()

    with ThreadPoolExecutor(1) as pool, directory.database.writing():
        assert pool.submit(directory.devices.note, alice, "phone").exception(5) is None

    assert time.monotonic() - begin < timeouts.BUSY / 2
    assert seen_of(directory, alice) == []


@on_sqlite
def test_nobody_waits_for_a_disk(directory: Directory, alice: str) -> None:
    directory.devices.note(alice, "phone")

    with directory.database.reading() as connection:  # the same connection, which remembers
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 1


def test_a_busy_directory_fails_nobody_and_the_next_call_tries_again(
    directory: Directory,
    opened: Callable[..., Directory],
    alice: str,
    database_url: str,
    clock: Stopwatch,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    directory.devices.note(alice, "phone")
    wait(1, clock)
    monkeypatch.setattr(timeouts, "ROW_LOCK_MS", 100)
    another = opened()

    with held(database_url):
        another.devices.note(alice, "phone")

    assert seen_of(another, alice) == [("phone", clock.now - 1)]
    another.devices.note(alice, "phone")
    assert seen_of(another, alice) == [("phone", clock.now)]


def test_a_fault_fails_nobody_and_is_none_of_the_directory(
    directory: Directory, alice: str, database_url: str, clock: Stopwatch
) -> None:
    run_at(database_url, "ALTER TABLE devices RENAME TO hidden")
    directory.devices.note(alice, "phone")
    assert directory.database.fault == ""

    run_at(database_url, "ALTER TABLE hidden RENAME TO devices")
    directory.devices.note(alice, "phone")
    assert seen_of(directory, alice) == [("phone", clock.now)]


@on_postgresql
def test_a_server_that_is_away_fails_nobody(opened: Callable[..., Directory]) -> None:
    away = opened(url=f"postgresql+psycopg://chat@127.0.0.1:{free_port()}/chat")

    away.devices.note("somebody", "phone")


@on_sqlite
def test_a_place_that_cannot_be_written_fails_nobody(opened: Callable[..., Directory]) -> None:
    opened(url="sqlite:////dev/null/chatproxy.db").devices.note("somebody", "phone")


def writes(worker: Directory, user_id: str, names: Sequence[str]) -> list[bool]:
    """Note devices in this order; say of each whether it was written."""
    written = []

    for name in names:
        with statements(worker) as seen:
            worker.devices.note(user_id, name)

        written.append(bool(seen))

    return written


@on_sqlite
def test_what_a_worker_remembers_is_bounded(
    worker: Directory, alice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "REMEMBERED", 2)

    assert writes(worker, alice, ["a", "b", "a", "b"]) == [True, True, False, False]
    assert writes(worker, alice, ["c", "c", "b"]) == [True, False, False]
    assert writes(worker, alice, ["a"]) == [True]


@on_sqlite
def test_what_was_written_last_is_remembered_longest(
    worker: Directory, alice: str, elapsed: Stopwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "REMEMBERED", 2)
    writes(worker, alice, ["a", "b"])
    wait(SEEN_EVERY, elapsed)

    assert writes(worker, alice, ["a", "c", "a"]) == [True, True, False]


@on_sqlite
def test_a_memory_that_is_full_fails_no_thread(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two threads one may let go of the pair that the other has just written."""
    minutes = count(0, int(SEEN_EVERY))
    noted = Devices(directory.database, time.time, lambda: next(minutes))
    monkeypatch.setattr(devices, "REMEMBERED", 1)
    monkeypatch.setattr(devices, "write_if_free", lambda *_: True)
    before, meeting = sys.getswitchinterval(), Barrier(2)

    def note(name: str) -> None:
        meeting.wait(30)

        for _ in range(20_000):
            noted.note("alice", name)

    try:
        sys.setswitchinterval(1e-6)

        with ThreadPoolExecutor(2) as pool:
            results = [pool.submit(note, name) for name in "ab"]
            assert [result.exception(30) for result in results] == [None, None]
    finally:
        sys.setswitchinterval(before)


def test_two_at_once_note_one_device(
    directory: Directory, opened: Callable[..., Directory], alice: str
) -> None:
    meeting, workers = Barrier(2), (directory, opened())

    def note(worker: Directory) -> None:
        for number in range(20):
            meeting.wait(30)
            worker.devices.note(alice, f"device {number}")

    with ThreadPoolExecutor(2) as pool:
        results = [pool.submit(note, worker) for worker in workers]
        assert [result.exception(30) for result in results] == [None, None]

    assert len(seen_of(directory, alice)) == 20
