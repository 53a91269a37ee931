"""Secrets that a local run keeps: made once, for their owner only."""

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chatproxy.settings import local_secrets as local_secrets
from chatproxy.settings.local_secrets import LocalSecrets

NAME = "KEY_SIGNING_SECRET"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_secret_is_made_once(tmp_path: Path) -> None:
    kept = LocalSecrets(tmp_path)

    assert kept.text(NAME) == kept.text(NAME)
    assert len(kept.text(NAME)) >= 43


def test_it_is_the_same_after_a_restart(tmp_path: Path) -> None:
    assert LocalSecrets(tmp_path).text(NAME) == LocalSecrets(tmp_path).text(NAME)


def test_each_name_and_folder_has_its_own(tmp_path: Path) -> None:
    one, other = LocalSecrets(tmp_path / "one"), LocalSecrets(tmp_path / "other")

    assert len({one.text(NAME), one.text("B"), other.text(NAME), other.text("B")}) == 4


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "var" / "secrets"
    LocalSecrets(folder).text(NAME)

    assert mode(folder / NAME) == 0o600
    assert mode(folder) == 0o700


def test_nothing_else_is_left_behind(tmp_path: Path) -> None:
    LocalSecrets(tmp_path).text(NAME)

    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_one_that_is_there_is_taken(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("  put here by hand\n")

    assert LocalSecrets(tmp_path).text(NAME) == "put here by hand"
    assert (tmp_path / NAME).read_text() == "  put here by hand\n"


def test_one_that_is_there_is_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = LocalSecrets(tmp_path).text(NAME)
    monkeypatch.delattr(local_secrets, "write_once")

    assert LocalSecrets(tmp_path).text(NAME) == text


def test_it_knows_which_were_used(tmp_path: Path) -> None:
    kept = LocalSecrets(tmp_path)
    kept.text("A")
    kept.text("B")

    assert kept.used == ["A", "B"]


def test_many_at_once_agree_on_one(tmp_path: Path) -> None:
    barrier = threading.Barrier(8)

    def start(_: int) -> str:
        barrier.wait(30)
        return LocalSecrets(tmp_path / "new").text(NAME)

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(8)))) == 1


def test_one_that_came_in_between_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = local_secrets.write_once

    def write_after_another(path: Path, text: str) -> None:
        alone(path, "the other start was first")
        alone(path, text)

    monkeypatch.setattr(local_secrets, "write_once", write_after_another)

    assert LocalSecrets(tmp_path).text(NAME) == "the other start was first"


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="file"):
        LocalSecrets(tmp_path / "file" / "secrets").text(NAME)
