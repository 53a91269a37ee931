"""When nobody should be sent here for the directory's sake, and when that is over."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.database import Database
from chatproxy.identity.directory import Directory
from chatproxy.identity.lookout import GOOD_FOR
from chatproxy.identity.readiness import UNREACHABLE_AFTER, Readiness
from chatproxy.identity.schema_version import newest
from tests.databases import migrate, run_at
from tests.identity.databases import on_sqlite
from tests.sidecar import free_port
from tests.stopwatch import Stopwatch

AWAY = ["directory-unreachable"]


class Watched:
    """The readiness of a database, looked at by a clock that the test sets."""

    def __init__(self, database: Database, elapsed: Stopwatch) -> None:
        self.database = database
        self._elapsed = elapsed
        self._readiness = Readiness(database, elapsed)

    def codes(self, after: float = GOOD_FOR) -> list[str]:
        """Look after so many seconds."""
        self._elapsed.now += after
        self._readiness.look()
        return list(self._readiness.reasons())


@pytest.fixture
def watched(opened: Callable[..., Directory], elapsed: Stopwatch, database_url: str) -> Watched:
    return Watched(opened(monotonic=elapsed).database, elapsed)


def wait_for(watched: Watched, codes: list[str]) -> None:
    """Look until an answer has come: a busy machine may take longer than a look waits."""
    until = time.monotonic() + 30

    while watched.codes() != codes:
        assert time.monotonic() < until, watched.codes()


def test_without_a_schema_until_it_is_made(watched: Watched, database_url: str) -> None:
    wait_for(watched, ["schema-missing"])
    migrate(database_url)
    wait_for(watched, [])


@pytest.mark.parametrize(
    ("version", "codes"),
    [("0001", ["schema-older"]), ("0002", ["schema-older"]), ("0099", ["schema-newer"])],
)
def test_with_a_schema_of_another_release(
    directory: Directory, watched: Watched, database_url: str, version: str, codes: list[str]
) -> None:
    wait_for(watched, [])
    run_at(database_url, f"UPDATE alembic_version SET version_num = '{version}'")

    try:
        wait_for(watched, codes)
    finally:
        run_at(database_url, f"UPDATE alembic_version SET version_num = '{newest()}'")

    wait_for(watched, [])


def test_with_a_schema_that_does_not_say_which(
    directory: Directory, watched: Watched, database_url: str
) -> None:
    """A migration that was broken off in its middle leaves such a one on SQLite."""
    run_at(database_url, "DELETE FROM alembic_version")

    try:
        wait_for(watched, ["schema-missing"])
    finally:
        run_at(database_url, f"INSERT INTO alembic_version VALUES ('{newest()}')")


@contextmanager
def away(elapsed: Stopwatch) -> Iterator[Database]:
    url = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/nowhere"

    with closing(Database(url, elapsed)) as database:
        yield database


@pytest.mark.parametrize("steps", [1, 4], ids=["seldom looked at", "often looked at"])
def test_unreachable_counts_from_the_first_failure(elapsed: Stopwatch, steps: int) -> None:
    with away(elapsed) as database:
        watched = Watched(database, elapsed)
        assert watched.codes(0) == []

        # The first answer, however long a busy machine takes for it.
        while database.failing_since is None:
            time.sleep(0.01)

        for _ in range(steps):
            assert watched.codes((UNREACHABLE_AFTER - 1) / steps) == []

        assert watched.codes(1) == AWAY


def test_a_request_that_failed_counts_as_well(elapsed: Stopwatch) -> None:
    with away(elapsed) as database:
        with pytest.raises(DirectoryUnavailable), database.reading():
            pass

        assert Watched(database, elapsed).codes(UNREACHABLE_AFTER) == AWAY


def test_a_database_that_does_not_answer_counts_from_the_question(
    elapsed: Stopwatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def reading() -> NoReturn:
        released.wait(30)
        raise DirectoryUnavailable(detail="the server does not answer")

    with away(elapsed) as database:
        monkeypatch.setattr(database, "reading", reading)
        watched = Watched(database, elapsed)
        assert watched.codes(0) == []
        assert watched.codes(UNREACHABLE_AFTER - 1) == []
        assert watched.codes(1) == AWAY
        released.set()


def test_one_answer_ends_it(directory: Directory, watched: Watched, elapsed: Stopwatch) -> None:
    wait_for(watched, [])
    watched.database.failing_since = elapsed.now - 60
    wait_for(watched, [])
    assert watched.database.failing_since is None


@on_sqlite
def test_one_that_takes_no_writes_is_no_reason(
    directory: Directory, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens are checked by reads."""
    monkeypatch.setattr("chatproxy.identity.readiness.UNREACHABLE_AFTER", 5.0)
    database = directory.database
    readiness = Readiness(database, time.monotonic)
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), isolation_level=None)

    with closing(other):
        other.execute("BEGIN IMMEDIATE")
        until = time.monotonic() + 6

        while time.monotonic() < until or not database.fault:
            readiness.look()
            assert readiness.reasons() == {}
            time.sleep(0.1)

    assert database.failing_since is None


@on_sqlite
def test_a_file_that_others_could_have_written_counts_as_unreachable(
    directory: Directory, watched: Watched, database_url: str
) -> None:
    """No call that needs the directory is answered then."""
    wait_for(watched, [])
    path = Path(database_url.removeprefix("sqlite:///"))
    path.chmod(0o666)
    directory.database.close()
    watched.database.close()

    with pytest.raises(DirectoryUnavailable), watched.database.reading():
        pass

    wait_for(watched, AWAY)
    path.chmod(0o600)
    wait_for(watched, [])
