"""A new SQLite file is as the migrations would have made it."""

import contextlib
import re
import sqlite3
from collections.abc import Mapping
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import pytest

from chatproxy.clock import Clock
from chatproxy.identity import new_database
from chatproxy.identity.database import Database
from chatproxy.identity.new_database import make
from chatproxy.identity.schema import upgrade
from chatproxy.identity.schema_version import is_current
from tests.databases import new_database as nowhere_yet

PRAGMAS = ("journal_mode", "page_size", "encoding", "user_version", "auto_vacuum", "application_id")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "var" / "chatproxy.db"


def content(path: Path) -> Mapping[str, Any]:
    """Everything in a file: its settings, each statement that made it but for spaces, each row."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        made = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
        found = {one: connection.execute(f"PRAGMA {one}").fetchall() for one in PRAGMAS}
        found["made"] = sorted((*names, _spaced(sql)) for *names, sql in made)

        for kind, name, *_ in made:
            if kind == "table":
                found[name] = connection.execute(f"SELECT * FROM {name}").fetchall()

    return found


def _spaced(sql: str | None) -> str:
    return re.sub(r"\s+", " ", sql or "").replace("( ", "(").replace(" )", ")")


def migrate(path: Path) -> None:
    with contextlib.closing(Database(f"sqlite:///{path}", Clock().monotonic)) as database:
        upgrade(database)


def test_it_is_as_the_migrations_make_it(path: Path) -> None:
    """After a new migration `identity/migrations/newest.sql` has to be what this expects."""
    with nowhere_yet("sqlite", path.parent.parent) as url:
        migrated = Path(url.removeprefix("sqlite:///"))
        migrate(migrated)

    assert make(path)
    assert content(path) == content(migrated)
    assert is_current(path)


def test_it_and_its_folder_are_the_owners_alone(path: Path) -> None:
    make(path)

    assert [one.stat().st_mode & 0o777 for one in (path, path.parent)] == [0o600, 0o700]


def test_one_that_is_there_is_left_alone(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"somebody's")

    assert not make(path)
    assert path.read_bytes() == b"somebody's"


def test_of_many_at_once_one_makes_it(path: Path) -> None:
    with ThreadPool(8) as pool:
        made = pool.map(make, [path] * 8)

    assert made.count(True) == 1
    assert is_current(path)


def test_a_migration_that_was_faster_is_left_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file = new_database.make_file

    def make_and_migrate(path: Path) -> None:
        make_file(path)
        migrate(path)

    monkeypatch.setattr(new_database, "make_file", make_and_migrate)

    assert not make(path)
    assert is_current(path)
    assert content(path)["apps"] == [("default", "default", 0, None, 0.0)]


def test_one_that_could_not_be_finished_is_empty_and_can_be_migrated(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def joinpath(self, _: str) -> "Broken":
            return self

        def read_text(self, _: str) -> str:
            return "CREATE TABLE apps (id);\nCREATE NONSENSE;\n"

    monkeypatch.setattr(new_database, "files", lambda _: Broken())

    assert not make(path)
    assert content(path)["made"] == []
    migrate(path)
    assert is_current(path)


def test_where_it_cannot_be_made_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("no folder")

    assert not make(tmp_path / "var" / "chatproxy.db")
