"""The SQLite file: who may read it, and how it is written."""

import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.schema import upgrade
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
