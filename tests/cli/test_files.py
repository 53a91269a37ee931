"""Files that a command writes, on every kind of file system."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from chatproxy.cli.exits import Failure
from chatproxy.cli.files import NO_LINKS, new_file
from tests.sidecar import ROOT


@pytest.mark.parametrize("number", sorted(NO_LINKS))
def test_where_there_are_no_links_a_file_is_still_whole_and_replaces_none(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", no_link)
    path = tmp_path / "backup.db"

    with new_file(path, force=False) as made:
        made.write_text("whole")
        assert not path.exists()

    assert path.read_text() == "whole"
    assert path.stat().st_mode & 0o777 == 0o600

    other = tmp_path / "other.db"

    with pytest.raises(Failure, match="is there already"), new_file(other, force=False):
        other.write_text("of somebody else")

    assert other.read_text() == "of somebody else"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["backup.db", "other.db"]


def test_any_other_failure_to_name_a_file_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "link", full)

    with pytest.raises(Failure, match="No space left"), new_file(tmp_path / "a", force=False):
        pass

    assert list(tmp_path.iterdir()) == []


INTERRUPTED = """
import os, sys
from pathlib import Path
from chatproxy.cli.exits import ending
from chatproxy.cli.files import new_file

with ending(), new_file(Path(sys.argv[1]), force=False) as made:
    made.write_text("half of all users")
    os.kill(os.getpid(), int(sys.argv[2]))
"""


@pytest.mark.parametrize("asked", [signal.SIGINT, signal.SIGTERM])
def test_whoever_is_told_to_end_leaves_no_half_file(asked: signal.Signals, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path / "users.csv"), str(int(asked))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 128 + asked
    assert done.stderr == f"Error: interrupted; {tmp_path}/users.csv is not written\n"
    assert list(tmp_path.iterdir()) == []
