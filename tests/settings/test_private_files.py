"""Files that others could have written are not trusted."""

import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chatproxy import settings
from chatproxy.providers import SETTINGS
from tests import commands
from tests.settings.loading import problems_of
from tests.sidecar import GUNICORN, bare_environ

ANOTHER_USER = 12345
KEPT = "KEY_SIGNING_SECRET"


def ours(folder: Path) -> dict[str, str]:
    return {"PROVIDERS": "imkit", "DATABASE_URL": f"sqlite:///{folder}/var/lib/d.db"}


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A database and the secrets beside it, as an earlier start left them."""
    environ = bare_environ() | ours(tmp_path)
    commands.answer(environ, "keys", "create", "a")
    return tmp_path / "var" / "lib" / "d.db"


def give_away(path: Path) -> None:
    if os.geteuid():
        pytest.skip("giving a file away needs root")

    os.chown(path, ANOTHER_USER, -1)


def put_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def put_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


FAULTS = [
    (give_away, "belongs to another user (12345)"),
    (lambda path: path.chmod(0o602), "could be written by others"),
    (lambda path: path.chmod(0o620), "could be written by others"),
    (lambda path: path.chmod(0o666), "could be written by others"),
    (put_a_link, "is a link or of another kind"),
    (put_a_pipe, "is a link or of another kind"),
]


@pytest.mark.parametrize(("spoil", "words"), FAULTS)
def test_a_kept_secret(
    tmp_path: Path, database: Path, spoil: Callable[[Path], None], words: str
) -> None:
    path = database.with_name("d.db.secrets") / KEPT
    text = path.read_text().strip()
    spoil(path)
    (problem,) = problems_of(**ours(tmp_path))

    assert problem.startswith(f"{KEPT}: {path} {words}")
    assert text not in problem


@pytest.mark.parametrize(("spoil", "words"), [one for one in FAULTS if one[0] is not put_a_pipe])
def test_the_folder_of_the_secrets(
    tmp_path: Path, database: Path, spoil: Callable[[Path], None], words: str
) -> None:
    folder = database.with_name("d.db.secrets")
    spoil(folder)
    (problem,) = problems_of(**ours(tmp_path))

    assert problem.startswith(f"{KEPT}: {folder} {words}")


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize(("spoil", "words"), FAULTS)
def test_the_database_and_what_stands_beside_it(
    tmp_path: Path, database: Path, suffix: str, spoil: Callable[[Path], None], words: str
) -> None:
    path = database.with_name(database.name + suffix)
    path.touch(mode=0o600)
    spoil(path)
    (problem,) = problems_of(**ours(tmp_path))

    assert problem.startswith(f"DATABASE_URL: {path} {words}")


def test_a_link_to_nowhere_is_no_place_for_a_new_database(tmp_path: Path) -> None:
    (tmp_path / "var" / "lib").mkdir(parents=True)
    (tmp_path / "var" / "lib" / "d.db").symlink_to(tmp_path / "victim")
    found = problems_of(**ours(tmp_path))

    assert "is a link or of another kind" in found[0]
    assert not (tmp_path / "victim").exists()


def test_a_group_may_write_where_the_folder_is_made_for_it(tmp_path: Path, database: Path) -> None:
    """As a volume with `fsGroup` has it."""
    group = os.getegid()

    for path in [tmp_path, *tmp_path.rglob("*")]:
        os.chown(path, -1, group)
        path.chmod(0o2770 if path.is_dir() else 0o660)

    assert settings.load(SETTINGS, ours(tmp_path)).keys is not None


def test_parents_that_are_made_are_for_their_owner_only(tmp_path: Path, database: Path) -> None:
    made = [database.parent, database.parent.parent, database.with_name("d.db.secrets")]

    assert [stat.S_IMODE(path.stat().st_mode) for path in made] == [0o700] * 3


def test_the_start_and_the_commands_stop(tmp_path: Path, database: Path) -> None:
    database.chmod(0o666)
    environ = bare_environ() | ours(tmp_path)
    started = commands.finished([sys.executable, *GUNICORN], environ)
    called = commands.run(environ, "keys", "list")

    assert (started.returncode, called.returncode) == (1, 2)
    assert f"DATABASE_URL: {database} could be written by others." in started.stderr
    assert f"DATABASE_URL: {database} could be written by others." in called.stderr
