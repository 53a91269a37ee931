"""What waits for whom, and for how long."""

import contextlib
import functools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity import sqlite, timeouts
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.schema import upgrade
from tests.identity.databases import on_sqlite
from tests.stopwatch import Stopwatch

BUSY_LIMIT = timeouts.BUSY

Lock = Callable[[], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def file_lock(url: str) -> Iterator[None]:
    with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as other:
        other.isolation_level = None
        other.execute("BEGIN EXCLUSIVE")
        yield


@contextlib.contextmanager
def row_lock(url: str) -> Iterator[None]:
    with create_engine(url, poolclass=NullPool).connect() as other:
        other.execute(text("SELECT id FROM users FOR UPDATE"))
        yield


@pytest.fixture
def locked(directory: Directory, database_url: str) -> Lock:
    """Take, from elsewhere, what a change of Alice needs."""
    directory.users.upsert(DEFAULT_APP, "alice", Profile())
    lock = file_lock if database_url.startswith("sqlite") else row_lock
    return functools.partial(lock, database_url)


def rename(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile(name="Alicia"))


def test_a_write_gives_up_in_time(
    opened: Callable[..., Directory], locked: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert timeouts.BUSY == timeouts.ROW_LOCK_MS / 1000 == 2
    monkeypatch.setattr(timeouts, "BUSY", 0.4)
    monkeypatch.setattr(timeouts, "ROW_LOCK_MS", 400)
    directory = opened()
    directory.database.ping()
    begin = time.monotonic()

    with locked(), pytest.raises(DirectoryUnavailable):
        rename(directory)

    assert 0.4 <= time.monotonic() - begin < 1.4
    rename(directory)


def test_a_write_goes_on_when_its_turn_comes(directory: Directory, locked: Lock) -> None:
    with ThreadPoolExecutor(1) as pool:
        with locked():
            renamed = pool.submit(rename, directory)
            time.sleep(0.3)
            assert not renamed.done()

        assert renamed.exception(BUSY_LIMIT) is None


def test_reads_do_not_wait_for_a_write(
    directory: Directory, opened: Callable[..., Directory], locked: Lock
) -> None:
    new_connection = opened()
    begin = time.monotonic()

    with locked():
        assert directory.users.find(DEFAULT_APP, "alice")
        assert new_connection.users.find(DEFAULT_APP, "alice")

    assert time.monotonic() - begin < BUSY_LIMIT / 2


@on_sqlite
def test_busy_is_told_to_the_caller(
    directory: Directory, locked: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "BUSY", 0.1)

    with locked(), pytest.raises(DirectoryUnavailable, match="busy. Try again"):
        rename(directory)

    assert directory.database.fault == "SQLITE_BUSY"


@on_sqlite
def test_a_worker_serves_on_while_a_write_waits(
    opened: Callable[..., Directory], locked: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wait is made of short sleeps. One within SQLite would hold up every greenlet."""
    elapsed, begin, sleeps = Stopwatch(), time.monotonic(), []
    worker, really, mine = opened(monotonic=elapsed), time.sleep, threading.get_ident()

    def sleep(seconds: float) -> None:
        if threading.get_ident() != mine:  # somebody else's, a watchdog's of another test
            really(seconds)
            return

        sleeps.append(seconds)
        elapsed.now += seconds

    monkeypatch.setattr(timeouts, "BUSY", 0.05)
    monkeypatch.setattr(sqlite.time, "sleep", sleep)

    with locked(), pytest.raises(DirectoryUnavailable):
        rename(worker)

    assert 5 <= len(sleeps) <= 50
    assert time.monotonic() - begin < 1


@on_sqlite
def test_a_write_of_the_same_process_waits_too(
    directory: Directory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timeouts, "BUSY", 0.1)

    with ThreadPoolExecutor(1) as pool, directory.database.writing():
        error = pool.submit(rename, directory).exception(BUSY_LIMIT)

    assert isinstance(error, DirectoryUnavailable)
    assert error.detail == "another write of this process takes too long"


@on_sqlite
def test_a_new_file_that_another_prepares_is_waited_for(
    opened: Callable[..., Directory], database_url: str
) -> None:
    """Two workers that start together meet here, where SQLite may refuse at once."""
    directory = opened()

    with ThreadPoolExecutor(1) as pool:
        with file_lock(database_url):
            upgraded = pool.submit(upgrade, directory.database)
            time.sleep(2 * timeouts.RECOVERY)

        assert upgraded.exception(BUSY_LIMIT) is None


@on_sqlite
def test_a_write_after_a_read_does_not_collide(directory: Directory) -> None:
    """One that took its lock late would be refused: what it had read is old by then."""
    another = contextlib.closing(sqlite3.connect(directory.database.engine.url.database or ""))

    with directory.database.writing() as connection, another as other:
        connection.execute(text("SELECT id FROM apps"))
        other.execute("PRAGMA busy_timeout = 0")

        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("UPDATE apps SET name = 'theirs'")

        connection.execute(text("UPDATE apps SET name = 'ours'"))
