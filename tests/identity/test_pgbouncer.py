"""A pooler between the directory and its server, which gives each transaction another session."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import Pool

import psycopg
import pytest
from sqlalchemy import text

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Condition, Profile
from chatproxy.identity.schema import upgrade
from tests.databases import run_at, taking_no_writes
from tests.identity.databases import make_empty, on_postgresql
from tests.identity.elsewhere import upgrade_together
from tests.postgresql import pgbouncer

pytestmark = on_postgresql

Open = Callable[..., Directory]


@pytest.fixture(scope="module")
def pooler(empty_postgresql: str) -> Iterator[str]:
    with pgbouncer(empty_postgresql.replace("+psycopg", "")) as url:
        yield url


@pytest.fixture
def pooled(pooler: str, database_url: str, opened: Open) -> Directory:
    """A directory with its tables behind the pooler."""
    directory = opened(url=pooler)
    upgrade(directory.database)
    return directory


def test_many_ask_at_once(pooled: Directory, pooler: str, opened: Open) -> None:
    """Statements that are prepared, or sent in a batch, would meet those of others."""
    others = [pooled, opened(url=pooler), opened(url=pooler)]

    def use(number: int) -> str:
        directory = others[number % len(others)]
        user = directory.users.upsert(
            DEFAULT_APP, f"user-{number % 20}", Profile(f"JÖRG {number}")
        )[0]
        wanted = [Condition("name", "holds", ("jörg",), any_case=True)]
        assert directory.user_search.page(DEFAULT_APP, wanted, 0, 5)[1]
        badges = directory.badges(["unread", "other"])
        badges.set(DEFAULT_APP, user.external_id, f"source-{number}", number, most_clients=50)
        return user.external_id

    with ThreadPoolExecutor(12) as pool:
        assert len(set(pool.map(use, range(120)))) == 20

    assert pooled.database.fault == ""


def test_time_limits_are_the_transactions(pooled: Directory, pooler: str) -> None:
    with pooled.database.reading() as connection:
        limits = [connection.execute(text(f"SHOW {one}")).scalar() for one in LIMITS]

    with psycopg.connect(pooler, autocommit=True) as other:
        others = [other.execute(f"SHOW {one}").fetchone() for one in LIMITS]

    assert limits == ["5s", "2s"]
    assert others == [("0",), ("0",)]


LIMITS = ("statement_timeout", "lock_timeout")


def test_two_upgrades_at_once_take_turns(pooler: str, database_url: str, processes: Pool) -> None:
    make_empty(database_url)

    processes.starmap(upgrade_together, [(pooler,)] * 2)


def test_a_session_that_the_server_ended_is_replaced(pooled: Directory, database_url: str) -> None:
    pooled.apps.list()
    run_at(
        database_url,
        "SELECT pg_terminate_backend(pid, 2000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid != pg_backend_pid()",
    )

    assert pooled.apps.list()


def test_sessions_that_the_pooler_keeps_do_not_stay_read_only(
    pooled: Directory, database_url: str
) -> None:
    """They outlive our connections, and were told at their beginning to refuse."""
    with taking_no_writes(database_url):
        with pytest.raises(DirectoryUnavailable):
            pooled.users.upsert(DEFAULT_APP, "alice", Profile())

        with pooled.database.reading(), pooled.database.reading():
            pass

    for number in range(4):
        pooled.users.upsert(DEFAULT_APP, f"user-{number}", Profile())

    assert pooled.database.fault == ""


def test_what_the_pooler_refuses_is_one_message(pooler: str, opened: Open) -> None:
    with pytest.raises(DirectoryUnavailable) as caught:
        opened(url=f"{pooler}?options=-c%20search_path%3Dpublic").database.ping()

    assert "unsupported startup parameter" in caught.value.detail
    assert "\n" not in caught.value.detail
