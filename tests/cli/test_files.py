"""Files that a command writes, on every kind of file system."""

import errno
import os
from pathlib import Path

import pytest

from chatproxy.cli.exits import Failure
from chatproxy.cli.files import NO_LINKS, new_file


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
