"""A directory on each of the two databases, and a clock that the test sets."""

import contextlib
import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.pool import Pool
from pathlib import Path

import pytest

from chatproxy.identity.directory import Directory
from chatproxy.identity.schema import upgrade
from tests.databases import new_database
from tests.identity.databases import make_empty
from tests.identity.elsewhere import SECRETS, meet
from tests.stopwatch import Stopwatch

NOON = 1_800_000_000.0


@pytest.fixture
def clock() -> Stopwatch:
    clock = Stopwatch()
    clock.now = NOON
    return clock


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """A database at the server for the run: making one for each test would take a minute."""
    with new_database("postgresql", Path()) as url:
        yield url.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'chatproxy.db'}"

    url: str = request.getfixturevalue("postgresql_url")
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
    made = opened()
    upgrade(made.database)
    return made


@pytest.fixture(scope="session")
def processes() -> Iterator[Pool]:
    """Two other processes; what they do is in `elsewhere`."""
    context = multiprocessing.get_context("spawn")

    with context.Pool(2, initializer=meet, initargs=(context.Barrier(2),)) as pool:
        yield pool
