"""The SQLite file: who may read it, and how it is written."""

import contextlib
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.schema import upgrade
from tests.databases import run_at
from tests.identity.databases import on_sqlite

pytestmark = on_sqlite

FULL, NORMAL = 2, 1


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_can_read_the_file(opened: Callable[..., Directory], tmp_path: Path) -> None:
    upgrade(opened().database)
    files = {path.name: mode(path) for path in tmp_path.iterdir()}

    assert files == dict.fromkeys(["chatproxy.db", "chatproxy.db-wal", "chatproxy.db-shm"], 0o600)


def test_a_folder_that_is_made_is_private(opened: Callable[..., Directory], tmp_path: Path) -> None:
    upgrade(opened(url=f"sqlite:///{tmp_path}/var/lib/chatproxy.db").database)

    assert mode(tmp_path / "var/lib") == 0o700


def test_a_folder_that_is_there_stays_as_it_is(
    opened: Callable[..., Directory], tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    upgrade(opened().database)

    assert mode(tmp_path) == 0o755


@pytest.mark.parametrize("name", ["a b", "100% sure", "ü-猫-🐈", "%41", "a'b\"c", "a&b=c;d"])
def test_a_path_is_taken_as_it_is_written(
    opened: Callable[..., Directory], tmp_path: Path, name: str
) -> None:
    upgrade(opened(url=f"sqlite:///{tmp_path / name}").database)

    assert (tmp_path / name).is_file()


def test_readers_and_the_writer_do_not_wait(directory: Directory) -> None:
    with directory.database.reading() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


@pytest.mark.parametrize(("durable", "level"), [(True, FULL), (False, NORMAL)])
def test_what_must_outlive_a_power_failure_is_synced(
    directory: Directory, durable: bool, level: int
) -> None:
    for one in (not durable, durable):  # the same connection, which remembers
        with directory.database.writing(durable=one) as connection:
            found = connection.execute(text("PRAGMA synchronous")).scalar()

    assert found == level


def test_reads_of_one_question_see_one_moment(
    directory: Directory, opened: Callable[..., Directory]
) -> None:
    with directory.database.reading() as connection:
        count = text("SELECT count(*) FROM apps")
        before = connection.execute(count).scalar()
        opened().apps.create("another")

        assert connection.execute(count).scalar() == before


def test_a_reader_from_outside_does_not_cut_off_what_is_written(
    directory: Directory, database_url: str
) -> None:
    """With its locks lost, the file's log would be taken away below the sidecar."""
    path = database_url.removeprefix("sqlite:///")

    with directory.database.reading() as first, directory.database.reading() as second:
        assert first is not second

    count = (
        "import sqlite3, sys; "
        "print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"
    )
    asked = [sys.executable, "-c", count, path, "SELECT count(*) FROM users"]
    seen = []

    for number in range(3):
        directory.users.upsert(DEFAULT_APP, f"user {number}", Profile())
        seen.append(int(subprocess.run(asked, capture_output=True, check=True).stdout))

    assert seen == [1, 2, 3]


def test_a_connection_that_may_not_write_is_not_kept(directory: Directory) -> None:
    """As one stays that was opened while the file could not be written."""
    with directory.database.reading() as connection:
        connection.execute(text("PRAGMA query_only = ON"))

    assert directory.users.upsert(DEFAULT_APP, "alice", Profile())
    assert directory.database.fault == ""

    with contextlib.suppress(DirectoryUnavailable), directory.database.writing() as connection:
        connection.execute(text("PRAGMA query_only = ON"))
        connection.execute(text("UPDATE apps SET name = 'x'"))

    with directory.database.reading() as connection:
        assert connection.execute(text("PRAGMA query_only")).scalar() == 0


def test_a_file_that_was_replaced_is_opened_anew(directory: Directory, tmp_path: Path) -> None:
    path, copy = tmp_path / "chatproxy.db", tmp_path / "copy"
    run_at(f"sqlite:///{path}", f"VACUUM INTO '{copy}'")
    directory.users.upsert(DEFAULT_APP, "alice", Profile())
    run_at(f"sqlite:///{path}", "PRAGMA wal_checkpoint(TRUNCATE)")
    path.rename(tmp_path / "former")
    copy.rename(path)

    assert directory.users.find(DEFAULT_APP, "alice") is None
    directory.users.upsert(DEFAULT_APP, "bob", Profile())

    with contextlib.closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT external_id FROM users").fetchall() == [("bob",)]


def test_a_file_that_was_replaced_by_somebody_else_is_not_believed(
    directory: Directory, tmp_path: Path
) -> None:
    path, copy = tmp_path / "chatproxy.db", tmp_path / "copy"
    directory.users.upsert(DEFAULT_APP, "alice", Profile())
    run_at(f"sqlite:///{path}", f"VACUUM INTO '{copy}'")
    copy.chmod(0o666)
    path.rename(tmp_path / "former")
    copy.rename(path)

    for _ in range(3):
        with pytest.raises(DirectoryUnavailable):
            directory.users.find(DEFAULT_APP, "alice")

    assert "could be written by others" in directory.database.fault
    path.chmod(0o600)
    assert directory.users.find(DEFAULT_APP, "alice") is not None


def test_a_file_that_was_deleted_takes_no_writes(directory: Directory, tmp_path: Path) -> None:
    """They would go to a file that nobody can open any more."""
    directory.users.upsert(DEFAULT_APP, "alice", Profile())

    for path in tmp_path.glob("chatproxy.db*"):
        path.unlink()

    def write() -> None:
        directory.users.upsert(DEFAULT_APP, "bob", Profile())

    for question in (write, directory.database.ping):
        with pytest.raises(DirectoryUnavailable) as caught:
            question()

        assert "run `chatproxy db upgrade`" in caught.value.detail

    upgrade(directory.database)
    directory.users.upsert(DEFAULT_APP, "bob", Profile())
    assert directory.database.fault == ""
