"""A server that is no longer the one: what was open to it goes, and nobody notices its return."""

import contextlib
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import make_url, text

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity import postgresql
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.schema import upgrade
from tests.databases import run_at, taking_no_writes
from tests.identity.databases import on_postgresql
from tests.postgresql import Server, servers
from tests.sidecar import free_port

pytestmark = on_postgresql

NO_WRITES = "ReadOnlySqlTransaction: the server takes no writes"


def rename(directory: Directory, name: str) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile(name))


def backend(directory: Directory) -> int:
    with directory.database.reading() as connection:
        return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())


def raise_state(directory: Directory, state: str) -> None:
    with (
        contextlib.suppress(Exception),
        directory.database.reading() as connection,
    ):
        connection.execute(text(f"DO 'BEGIN RAISE SQLSTATE ''{state}''; END'"))


def test_writes_come_back_with_the_database(directory: Directory, database_url: str) -> None:
    rename(directory, "before")

    with taking_no_writes(database_url):
        for _ in range(3):  # of three the last two meet a connection of this time
            with pytest.raises(DirectoryUnavailable) as caught:
                rename(directory, "meanwhile")

            assert caught.value.detail == directory.database.fault == NO_WRITES

        assert directory.users.find(DEFAULT_APP, "alice")

    rename(directory, "afterwards")
    assert directory.database.fault == ""


def test_every_kept_connection_goes(directory: Directory, database_url: str) -> None:
    with taking_no_writes(database_url), contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(directory.database.reading())

    for number in range(4):
        rename(directory, f"afterwards {number}")


def test_a_read_shows_what_a_write_would_meet(directory: Directory, database_url: str) -> None:
    with taking_no_writes(database_url):
        directory.apps.list()
        assert directory.database.fault == NO_WRITES

    time.sleep(postgresql.READ_ONLY_KEPT)
    directory.apps.list()
    assert directory.database.fault == ""


def test_a_check_up_needs_writes(directory: Directory, database_url: str) -> None:
    directory.database.ping()

    with taking_no_writes(database_url), pytest.raises(DirectoryUnavailable):
        directory.database.ping()

    directory.database.ping()


@pytest.mark.parametrize(
    "state",
    ["25006", "57P01", "57P02", "57P03", "57P04", "57P05", "25P03", "25P04", "40001"]
    + [
        "08000",
        "08006",
        "08P01",
        "XX000",
        "58030",
        "26000",
        "0A000",
        "28000",
        "28P01",
        "42501",
        "42P01",
    ],
)
def test_after_what_says_that_the_server_is_another_it_is_asked_anew(
    directory: Directory, state: str
) -> None:
    with directory.database.reading():
        other = backend(directory)

    before = {backend(directory), other}
    raise_state(directory, state)

    with directory.database.reading():
        assert not before & {backend(directory)}

    assert backend(directory) not in before


@pytest.mark.parametrize("state", ["22001", "23505", "40P01", "53100", "55P03", "57014", "P0001"])
def test_after_what_is_about_the_statement_it_stays(directory: Directory, state: str) -> None:
    before = backend(directory)
    raise_state(directory, state)

    assert backend(directory) == before


def test_another_user_takes_over(
    directory: Directory, database_url: str, opened: Callable[..., Directory]
) -> None:
    """As with credentials that are made for a while: the former user is dropped later."""
    users = [f"chatproxy_{when}_{secrets.token_hex(4)}" for when in ("former", "later")]

    with contextlib.ExitStack() as stack:
        for user in users:
            run_at(database_url, f"CREATE ROLE {user} LOGIN")
            stack.callback(run_at, database_url, f"DROP ROLE IF EXISTS {user}")
            stack.callback(drop_owned, database_url, user)
            run_at(database_url, f"GRANT USAGE ON SCHEMA public TO {user}")
            run_at(database_url, f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {user}")
            run_at(database_url, f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {user}")

        urls = [make_url(database_url).set(username=user) for user in users]
        former, later = (url.render_as_string(hide_password=False) for url in urls)
        directory = opened(url=former)
        stack.callback(directory.close)

        with directory.database.reading() as in_use:
            driver: Any = in_use.connection.dbapi_connection
            rename(directory, "before")
            directory.database.connect_by(later)

        assert driver.closed

        drop_owned(database_url, users[0])
        run_at(database_url, f"DROP ROLE {users[0]}")

        with directory.database.reading():
            rename(directory, "afterwards")

        assert directory.database.fault == ""


def drop_owned(database_url: str, user: str) -> None:
    run_at(
        database_url,
        f"DO 'BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = ''{user}'') "
        f"THEN DROP OWNED BY {user}; END IF; END'",
    )


def test_other_defaults_of_a_database_change_nothing(
    directory: Directory, database_url: str
) -> None:
    name = make_url(database_url).database
    settings = ("default_transaction_isolation = serializable", "statement_timeout = 1000")

    for setting in settings:
        run_at(database_url, f"ALTER DATABASE {name} SET {setting}")

    try:
        directory.close()

        with directory.database.reading() as connection:
            found = [connection.execute(text(f"SHOW {one}")).scalar() for one in SHOWN]
    finally:
        for setting in settings:
            run_at(database_url, f"ALTER DATABASE {name} RESET {setting.split()[0]}")

    assert found == ["read committed", "5s", "2s", "UTF8"]


SHOWN = ("transaction_isolation", "statement_timeout", "lock_timeout", "client_encoding")


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    with servers() as both:
        yield both


def test_the_standby_takes_over(
    pair: tuple[Server, Server], opened: Callable[..., Directory]
) -> None:
    primary, standby = pair
    # The standby stands first, and a host that is not there before it.
    hosts = f"127.0.0.1:{free_port()},{standby.address},{primary.address}"
    directory = opened(url=f"postgresql+psycopg://postgres@{hosts}/postgres")
    upgrade(directory.database)
    rename(directory, "before")
    wait_until(lambda: is_there(opened(url=standby.url), "before"))

    primary.stop()
    assert is_there(directory, "before")
    assert directory.database.fault == NO_WRITES

    with pytest.raises(DirectoryUnavailable):
        rename(directory, "meanwhile")

    standby.control("promote")
    rename(directory, "afterwards")
    assert is_there(directory, "afterwards")
    assert directory.database.fault == ""


@pytest.mark.parametrize("name", ["host", "hostaddr"])
def test_several_hosts_may_be_a_parameter(
    pair: tuple[Server, Server], opened: Callable[..., Directory], name: str
) -> None:
    primary, standby = pair
    hosts = f"{name}=127.0.0.1,127.0.0.1&port={standby.port},{primary.port}"
    directory = opened(url=f"postgresql://postgres@/postgres?{hosts}")
    upgrade(directory.database)
    rename(directory, "written")


def test_a_primary_that_becomes_the_standby_is_left(
    pair: tuple[Server, Server], opened: Callable[..., Directory]
) -> None:
    """Both stay, and what was open to the former one would still answer reads."""
    former, later = pair
    directory = opened(url=f"postgresql://postgres@{former.address},{later.address}/postgres")
    upgrade(directory.database)
    rename(directory, "before")

    former.stop("fast")
    later.control("promote")
    (former.folder / "standby.signal").touch()
    former.start()
    rename(directory, "afterwards")
    assert is_there(directory, "afterwards")


def is_there(directory: Directory, name: str) -> bool:
    user = directory.users.find(DEFAULT_APP, "alice")
    return user is not None and user.name == name


def wait_until(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + 30

    while time.monotonic() < until:
        with contextlib.suppress(DirectoryUnavailable):
            if ready():
                return

        time.sleep(0.1)

    raise AssertionError("the standby does not follow")
