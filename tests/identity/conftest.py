"""A directory on each of the two databases, and a clock that the test sets."""

import contextlib
import multiprocessing
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.pool import Pool
from pathlib import Path

import pytest

from chatproxy.identity.directory import Directory
from tests.databases import new_database
from tests.identity.databases import PreparedDatabase, give_tables, make_empty
from tests.identity.elsewhere import SECRETS, meet
from tests.stopwatch import Stopwatch

NOON = 1_800_000_000.0


@pytest.fixture
def clock() -> Stopwatch:
    clock = Stopwatch()
    clock.now = NOON
    return clock


@pytest.fixture(scope="session")
def empty_postgresql() -> Iterator[str]:
    """The URL of a database at the server, which the run shares: making one takes its time."""
    with new_database("postgresql", Path()) as url:
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def prepared_postgresql() -> Iterator[PreparedDatabase]:
    with new_database("postgresql", Path()) as url:
        prepared = PreparedDatabase(url.replace("postgresql://", "postgresql+psycopg://", 1))

        with contextlib.closing(prepared):
            yield prepared


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the tables."""
    path = tmp_path_factory.mktemp("prepared") / "chatproxy.db"
    give_tables(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without rows; without tables, too, unless the test has a `directory`."""
    prepared = "directory" in request.fixturenames

    if request.param == "sqlite":
        path = tmp_path / "chatproxy.db"

        if prepared:
            shutil.copy(request.getfixturevalue("prepared_sqlite"), path)

        return f"sqlite:///{path}"

    if prepared:
        database: PreparedDatabase = request.getfixturevalue("prepared_postgresql")
        database.renew()
        return database.url

    url: str = request.getfixturevalue("empty_postgresql")
    make_empty(url)
    return url


@pytest.fixture
def opened(database_url: str, clock: Stopwatch) -> Iterator[Callable[..., Directory]]:
    """Open the database. Each call makes another directory, as each worker does."""
    with contextlib.ExitStack() as stack:

        def open_one(
            signing_secrets: Sequence[str] = SECRETS,
            *,
            url: str = database_url,
            monotonic: Callable[[], float] = time.monotonic,
        ) -> Directory:
            directory = Directory(url, signing_secrets, now=clock, monotonic=monotonic)
            stack.callback(directory.close)
            return directory

        yield open_one


@pytest.fixture
def directory(opened: Callable[..., Directory]) -> Directory:
    """A directory with its tables."""
    return opened()


@pytest.fixture
def elapsed() -> Stopwatch:
    """The worker's own time, which nobody sets back."""
    return Stopwatch()


@pytest.fixture
def worker(directory: Directory, opened: Callable[..., Directory], elapsed: Stopwatch) -> Directory:
    """Another directory on the same database, whose own time the test sets."""
    return opened(monotonic=elapsed)


@pytest.fixture(scope="session")
def processes() -> Iterator[Pool]:
    """Two other processes; what they do is in `elsewhere`."""
    context = multiprocessing.get_context("spawn")

    with context.Pool(2, initializer=meet, initargs=(context.Barrier(2),)) as pool:
        yield pool
