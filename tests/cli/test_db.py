"""`chatproxy db current` and `backup`."""

import contextlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests import commands
from tests.databases import new_directory
from tests.sidecar import ROOT, bare_environ


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    with new_directory("sqlite", tmp_path) as url:
        return bare_environ() | {"DATABASE_URL": url, "KEY_SIGNING_SECRET": "k" * 40}


def users_in(path: Path) -> int:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM users").fetchone()
        return int(count)


def test_the_schemas_version_is_shown(environ: dict[str, str]) -> None:
    row = commands.answer(environ, "db", "current")

    assert row["version"] == row["needed"]
    assert row["state"] == "current"


def test_a_copy_is_made_while_others_write(environ: dict[str, str], tmp_path: Path) -> None:
    rows = "".join(f'{{"userId": "{n}"}}\n' for n in range(20_000))
    (tmp_path / "users.jsonl").write_text(rows)
    command = [sys.executable, "-m", "chatproxy.cli", "users", "import"]

    with subprocess.Popen(
        [*command, str(tmp_path / "users.jsonl")], cwd=ROOT, env=environ, stdout=subprocess.PIPE
    ) as writing:
        copies = [tmp_path / f"copy-{n}.db" for n in range(3)]
        made = [commands.run(environ, "db", "backup", str(one), "--json") for one in copies]
        assert writing.wait(120) == 0

    assert [one.returncode for one in made] == [0, 0, 0], made
    # Whole batches only, and not fewer than before.
    counts = [users_in(one) for one in copies]
    assert counts == sorted(counts)
    assert {one % 500 for one in counts} == {0}
    assert {one.stat().st_mode & 0o777 for one in copies} == {0o600}
    assert json.loads(made[0].stdout)["bytes"] == copies[0].stat().st_size
    again = environ | {"DATABASE_URL": f"sqlite:///{copies[0]}"}
    assert commands.answer(again, "db", "current")["state"] == "current"


def test_nothing_is_replaced_unless_it_is_told_to(environ: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "copy.db"
    path.write_text("precious")
    refused = commands.run(environ, "db", "backup", str(path))

    assert refused.returncode == 1
    assert "is there already" in refused.stderr
    assert path.read_text() == "precious"
    assert commands.run(environ, "db", "backup", str(path), "--force").returncode == 0
    assert users_in(path) == 0
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_the_database_is_not_replaced_by_its_copy(environ: dict[str, str]) -> None:
    path = environ["DATABASE_URL"].removeprefix("sqlite:///")
    done = commands.run(environ, "db", "backup", path, "--force")

    assert done.returncode == 1
    assert "is the database itself" in done.stderr


@pytest.mark.parametrize("limit", [8, 40])
def test_a_full_disk_leaves_no_half_a_copy(
    limit: int, environ: dict[str, str], tmp_path: Path
) -> None:
    program = f"{sys.executable} -m chatproxy.cli"
    line = f"ulimit -f {limit}; {program} db backup {tmp_path}/copy.db"
    done = commands.finished(["bash", "-c", line], environ)

    assert (done.returncode, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "copy.db").exists()
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_a_folder_that_is_not_there_is_told(environ: dict[str, str], tmp_path: Path) -> None:
    done = commands.run(environ, "db", "backup", f"{tmp_path}/none/copy.db")

    assert done.returncode == 3
    assert "cannot be written (No such file or directory)" in done.stderr


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("postgresql://u:canary@h:5432/d", "postgresql://u@h:5432/d"),
        ("postgresql+psycopg://u:canary@h/d", "postgresql://u@h/d"),
        ("postgresql://u:canary%40x@h1,h2:5433/d?sslmode=require", "postgresql://u@h1,h2:5433/d?sslmode=require"),
        ("postgresql://h/d?user=u&password=canary&sslmode=require", "postgresql://h/d?user=u&sslmode=require"),
        ("postgresql://h/d?sslmode=require&sslpassword=canary", "postgresql://h/d?sslmode=require"),
        ("postgresql://h/d?p%61ssword=canary&sslmode=require", "postgresql://h/d?sslmode=require"),
        ("postgresql://h/d?pass%77ord=canary", "postgresql://h/d"),
    ],
)  # fmt: skip
def test_of_postgresql_the_command_is_said_without_the_password(url: str, written: str) -> None:
    done = commands.run(bare_environ() | {"DATABASE_URL": url}, "db", "backup", "a b.dump")

    assert done.returncode == 1
    assert "pg_dump --format=custom '--file=a b.dump' " in done.stderr
    assert f"--dbname={written}" in done.stderr.replace("'", "")
    assert "canary" not in done.stderr
