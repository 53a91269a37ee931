"""No test is lost between the parts, and none fails unseen."""

import subprocess
from collections.abc import Sequence

import pytest

from tests import parts

FILES = sorted(path.relative_to(parts.HERE).as_posix() for path in parts.HERE.rglob("test_*.py"))


def test_each_file_is_in_exactly_one_part() -> None:
    assert sorted(path for part in parts.divided(FILES) for path in part) == FILES


@pytest.mark.parametrize("beginning", [one for part in parts.PARTS for one in part])
def test_each_beginning_is_that_of_a_file(beginning: str) -> None:
    assert any(path.startswith(beginning) for path in FILES)


def test_a_folder_that_no_part_names_is_run_with_the_rest() -> None:
    assert parts.divided(["aaa/test_new.py", "bulk/test_a.py", "zzz/test_new.py"]) == [
        ["bulk/test_a.py"],
        ["aaa/test_new.py", "zzz/test_new.py"],
    ]


@pytest.mark.parametrize(
    ("code", "fails"),
    [(0, 0), (5, 0), (1, 1), (2, 1), (3, 1), (4, 1), (-9, 1)],
    ids=["passed", "none", "failed", "interrupted", "internal", "usage", "killed"],
)
def test_one_part_that_fails_fails_the_run(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], code: int, fails: int
) -> None:
    given: list[Sequence[str]] = []

    def run(part: Sequence[str], options: Sequence[str]) -> subprocess.CompletedProcess[str]:
        given.append(options)
        said = f"out of {part[0]}\n2 passed, 1 deselected in 3.01s\n"
        return subprocess.CompletedProcess([], 0 if len(given) > 1 else code, said)

    monkeypatch.setattr(parts, "run", run)
    monkeypatch.setattr("sys.argv", ["parts", "-n", "1", "-m", "not long"])

    assert parts.main() == fails
    number = len(parts.divided(FILES))
    assert given == [["-m", "not long"]] * number
    printed = capsys.readouterr().out
    assert f"all parts: {2 * number} passed, {number} deselected in " in printed
    assert f"out of {FILES[0]}" in printed


def test_a_part_is_a_pytest_of_its_own() -> None:
    """With the options that were given; what it prints is kept."""
    done = parts.run(["test_parts.py"], ["--collect-only", "-k", "is_run_with_the_rest"])

    assert done.returncode == 0
    assert "test_a_folder_that_no_part_names_is_run_with_the_rest" in done.stdout
    assert parts.run(["test_parts.py"], ["-k", "nothing_of_this_name"]).returncode == 5
