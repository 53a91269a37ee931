"""`chatproxy users import`: where bad rows go, and whoever interrupts it at the very end."""

import contextlib
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chatproxy.cli.interruption import Interruption
from chatproxy.cli.users.records import Record
from chatproxy.cli.users.writing import Import
from chatproxy.identity.directory import Directory
from tests import commands
from tests.sidecar import bare_environ

ROWS = "userId,name\n,bad\na,Alice\n"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    url = f"sqlite:///{tmp_path}/var/directory.db"
    return bare_environ() | {"DATABASE_URL": url, "KEY_SIGNING_SECRET": "k" * 40}


def test_bad_rows_are_for_their_owner_only(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text(ROWS)
    rejects = tmp_path / "bad.csv"
    done = commands.run(
        environ, "users", "import", str(tmp_path / "u.csv"), "--rejects", str(rejects)
    )

    assert done.returncode == 1
    assert rejects.read_text() == "userId,name\n,bad\n"
    assert rejects.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("is_linked", [False, True])
def test_the_file_that_is_read_is_not_written_over(
    is_linked: bool, environ: dict[str, str], tmp_path: Path
) -> None:
    path = rejects = tmp_path / "u.csv"
    path.write_text(ROWS)

    if is_linked:
        rejects = tmp_path / "same.csv"
        rejects.symlink_to(path)

    done = commands.run(environ, "users", "import", str(path), "--rejects", str(rejects))

    assert done.returncode == 2
    assert "--rejects: is the file that is imported" in done.stderr
    assert path.read_text() == ROWS


class Committing:
    """A directory to whose commit somebody says: end."""

    @contextlib.contextmanager
    def putting(self, _app: str) -> Iterator[Callable[[Sequence[Any]], Counter[str]]]:
        yield lambda rows: Counter(created=len(rows))
        os.kill(os.getpid(), signal.SIGINT)


def test_an_interruption_within_the_commit_comes_too_late() -> None:
    directory = cast(Directory, SimpleNamespace(bulk_users=Committing()))

    with Interruption()() as stop:
        taken = Import(directory, "default", lambda _record, _reason: None, stop)
        assert taken.take_all_or_nothing([Record(1, b"", {"userId": "a"})])

    assert taken.counts["created"] == 1
    assert taken.is_ending


def test_bad_rows_may_go_to_stdout(environ: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "u.csv").write_text(ROWS)
    done = commands.run(environ, "users", "import", str(tmp_path / "u.csv"), "--rejects", "-")

    assert done.returncode == 1
    assert "userId,name\n,bad\n" in done.stdout
    assert [one.name for one in tmp_path.iterdir() if one.name.endswith("-")] == []
