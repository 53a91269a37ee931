"""The database away, broken or full: one kind of failure, and no secret in its words."""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import event, make_url, text

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity import timeouts
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.schema import upgrade
from tests.databases import run_at
from tests.identity.databases import on_postgresql, on_sqlite
from tests.sidecar import free_port

PASSWORD = "canary-database-password"


def test_a_fault_is_kept_until_it_works_again(database_url: str, directory: Directory) -> None:
    run_at(database_url, "ALTER TABLE users RENAME TO hidden")

    with pytest.raises(DirectoryUnavailable) as caught:
        directory.users.find(DEFAULT_APP, "alice")

    assert directory.database.fault == caught.value.detail != ""
    run_at(database_url, "ALTER TABLE hidden RENAME TO users")
    directory.users.find(DEFAULT_APP, "alice")
    assert directory.database.fault == ""


def test_a_read_that_works_does_not_hide_a_write_that_fails(directory: Directory) -> None:
    with pytest.raises(DirectoryUnavailable), directory.database.writing() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (1)"))

    directory.users.find(DEFAULT_APP, "alice")
    assert "nowhere" in directory.database.fault

    directory.users.upsert(DEFAULT_APP, "alice", Profile())
    assert directory.database.fault == ""


def test_a_failure_says_when_to_come_again(opened: Callable[..., Directory]) -> None:
    with pytest.raises(DirectoryUnavailable) as caught:
        opened().database.ping()

    assert (caught.value.status, caught.value.side) == (503, "directory")
    assert caught.value.headers == {"Retry-After": "1"}


def test_a_failure_does_not_repeat_what_was_said(database_url: str, directory: Directory) -> None:
    run_at(database_url, "ALTER TABLE users RENAME TO hidden")

    with pytest.raises(DirectoryUnavailable) as caught:
        directory.users.upsert(DEFAULT_APP, PASSWORD, Profile(name=PASSWORD))

    assert PASSWORD not in f"{caught.value.detail} {caught.value} {caught.value.__cause__}"
    assert "\n" not in caught.value.detail


def test_after_close_the_next_question_opens(directory: Directory) -> None:
    directory.close()

    assert directory.apps.list()


@on_postgresql
def test_a_server_that_is_away_is_told_soon(opened: Callable[..., Directory]) -> None:
    away = opened(url=f"postgresql+psycopg://chat:{PASSWORD}@127.0.0.1:{free_port()}/chat")
    begin = time.monotonic()

    for question in (away.database.ping, away.apps.list):
        with pytest.raises(DirectoryUnavailable) as caught:
            question()

        assert "connection" in caught.value.detail
        assert PASSWORD not in f"{caught.value.detail} {caught.value} {caught.value.__cause__}"

    assert time.monotonic() - begin < 5


@on_postgresql
def test_a_server_that_says_nothing_is_told_soon(opened: Callable[..., Directory]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        silent = opened(url=f"postgresql+psycopg://chat@127.0.0.1:{server.getsockname()[1]}/chat")
        begin = time.monotonic()

        with pytest.raises(DirectoryUnavailable, match="cannot be asked"):
            silent.database.ping()

    assert time.monotonic() - begin < timeouts.BUSY + 1


@contextlib.contextmanager
def stalling(database_url: str) -> Iterator[tuple[str, threading.Event]]:
    """A way to the server on which nothing moves, and nobody comes, once the event is set."""
    url = make_url(database_url)
    target, stalled = (url.host or "127.0.0.1", url.port or 5432), threading.Event()
    sockets: list[socket.socket] = []

    def carry(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (piece := source.recv(65536)) and not stalled.is_set():
                sink.sendall(piece)

    def accept(listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                near = listener.accept()[0]

                if stalled.is_set():
                    near.close()
                    continue

                far = socket.create_connection(target)
                sockets.extend([near, far])

                for pair in ((near, far), (far, near)):
                    threading.Thread(target=carry, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=(listener,), daemon=True).start()
        here = url.set(host="127.0.0.1", port=listener.getsockname()[1])
        yield here.render_as_string(hide_password=False), stalled
        listener.shutdown(socket.SHUT_RDWR)

    for one in sockets:
        one.close()


def falls_silent(directory: Directory, stalled: threading.Event, *, within: bool) -> None:
    if not within:
        stalled.set()

    with directory.database.reading() as connection:
        stalled.set()
        connection.execute(text("SELECT 1"))


@on_postgresql
@pytest.mark.parametrize("moment", ["within a use", "while it is kept"])
def test_a_server_that_falls_silent_is_cut_off(
    database_url: str,
    opened: Callable[..., Directory],
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
) -> None:
    upgrade(opened().database)
    monkeypatch.setattr(timeouts, "SILENCE", 0.6)

    with stalling(database_url) as (url, stalled):
        directory = opened(url=url)
        directory.database.ping()
        begin = time.monotonic()

        with pytest.raises(DirectoryUnavailable):
            falls_silent(directory, stalled, within=moment == "within a use")

        assert 0.5 < time.monotonic() - begin < 8


@on_postgresql
def test_a_connection_that_died_is_replaced(database_url: str, directory: Directory) -> None:
    with directory.database.reading() as connection:
        process = connection.execute(text("SELECT pg_backend_pid()")).scalar()

    run_at(database_url, f"SELECT pg_terminate_backend({process}, 2000)")

    assert directory.apps.list()


@on_postgresql
def test_a_connection_cut_in_use_is_one_failure(directory: Directory) -> None:
    cut = "SELECT pg_terminate_backend(pg_backend_pid())"

    with pytest.raises(DirectoryUnavailable), directory.database.writing() as connection:
        connection.execute(text(cut))

    assert directory.apps.list()


@on_postgresql
@pytest.mark.parametrize(("name", "limit"), [("statement_timeout", "5s"), ("lock_timeout", "2s")])
def test_a_statement_has_its_limit(directory: Directory, name: str, limit: str) -> None:
    with directory.database.reading() as connection:
        assert connection.execute(text(f"SHOW {name}")).scalar() == limit


@on_sqlite
@pytest.mark.parametrize("content", [b"no database" * 1000, b"\0" * 8192], ids=["text", "zeros"])
def test_a_file_that_is_none_is_told(
    opened: Callable[..., Directory], tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "chatproxy.db").write_bytes(content)

    with pytest.raises(DirectoryUnavailable, match="cannot be asked") as caught:
        opened().apps.list()

    assert "file is not a database" in caught.value.detail


@on_sqlite
@pytest.mark.parametrize("write", [True, False], ids=["write", "read"])
def test_a_file_that_turns_bad_is_told(
    directory: Directory, database_url: str, tmp_path: Path, write: bool
) -> None:
    run_at(database_url, "PRAGMA wal_checkpoint(TRUNCATE)")  # nothing of it is in memory now
    (tmp_path / "chatproxy.db").write_bytes(b"no database" * 1000)
    begin = directory.database.writing if write else directory.database.reading

    with pytest.raises(DirectoryUnavailable) as caught, begin() as connection:
        connection.execute(text("SELECT id FROM apps"))

    assert caught.value.detail == "DatabaseError: file is not a database"


@on_sqlite
def test_a_place_that_cannot_be_written_is_told(
    opened: Callable[..., Directory], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(DirectoryUnavailable) as caught:
        opened(url=f"sqlite:///{tmp_path}/file/chatproxy.db").apps.list()

    assert "unable to open database file" in caught.value.detail


@on_sqlite
def test_a_full_disk_is_told_and_recovers(directory: Directory) -> None:
    directory.close()
    limit = ["PRAGMA max_page_count = 60"]

    @event.listens_for(directory.database.engine, "checkout")
    def make_small(driver: object, *_: object) -> None:
        driver.execute(limit[0])

    with pytest.raises(DirectoryUnavailable) as caught:
        fill(directory)

    assert caught.value.detail == "OperationalError: database or disk is full"
    assert directory.users.find(DEFAULT_APP, "user-0")

    limit[0] = "PRAGMA max_page_count = 3000"
    fill(directory)
    assert directory.database.fault == ""


def fill(directory: Directory) -> None:
    for number in range(10):
        directory.users.upsert(DEFAULT_APP, f"user-{number}", Profile(custom={"a": "x" * 60_000}))


@on_postgresql
def test_what_nobody_acknowledges_is_given_up(opened: Callable[[], Directory]) -> None:
    """A server that went without a word takes no packets; the kernel would repeat them for long."""
    with opened().database.reading() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None

        with socket.socket(fileno=os.dup(driver.fileno())) as sock:
            limit = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert limit == timeouts.STATEMENT_MS
