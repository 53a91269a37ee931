"""A release that is not whole is refused."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from release.check import problems

VERSION = '"""The sidecar."""\n\n__version__ = "1.2.3"\n'
CHANGELOG = """# Changelog

## 1.2.3 (2026-12-01)

### Added

- A thing.

## 1.2.2 (2026-11-01)

### Fixed

- Another.
"""


def git(root: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout that can be released."""
    for name in ("chatproxy", "docs", "deploy"):
        (tmp_path / name).mkdir()

    (tmp_path / "chatproxy" / "__init__.py").write_text(VERSION)
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    (tmp_path / "README.md").write_text("# chatproxy\n")
    (tmp_path / "deploy" / "kustomization.yaml").write_text("newTag: 1.2.3\n")
    (tmp_path / "docs" / "deployment.md").write_text("image: chatproxy:1.2.3\n")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "all")
    return tmp_path


def replace(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        text = (root / path).read_text()
        assert old in text
        (root / path).write_text(text.replace(old, new, 1))
        git(root, "commit", "--quiet", "-am", "change")

    return change


def released_before(tag: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        git(root, "tag", tag)
        git(root, "commit", "--quiet", "--allow-empty", "-m", "later")

    return change


def test_what_is_whole_can_be_released(root: Path) -> None:
    assert list(problems(root)) == []
    assert list(problems(root, "v1.2.3")) == []


def test_what_has_its_tag_already_can_be_checked_again(root: Path) -> None:
    git(root, "tag", "v1.2.2", "HEAD")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "later")
    git(root, "tag", "v1.2.3")

    assert list(problems(root, "v1.2.3")) == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (replace("chatproxy/__init__.py", "1.2.3", "1.2.4"), "the newest heading is 1.2.3"),
        (replace("chatproxy/__init__.py", "1.2.3", "1.2.3.dev1"), "is not MAJOR.MINOR.PATCH"),
        (replace("chatproxy/__init__.py", "1.2.3", "1.02.3"), "is not MAJOR.MINOR.PATCH"),
        (replace("CHANGELOG.md", "## 1.2.3 (2026-12-01)", "## 1.2.3 (unreleased)"), "unreleased"),
        (replace("CHANGELOG.md", "## 1.2.3 (2026-12-01)", "## 1.2.3"), "not VERSION (YYYY-MM-DD)"),
        (replace("CHANGELOG.md", "## 1.2.3", "## Unreleased\n\n## 1.2.3"), "'Unreleased'"),
        (replace("CHANGELOG.md", "- A thing.\n", ""), "nothing is written below '### Added'"),
        (replace("CHANGELOG.md", "### Added\n\n- A thing.\n", ""), "below '1.2.3 (2026-12-01)'"),
        (replace("CHANGELOG.md", "- A thing.", "- TODO"), "is not finished: '- TODO'"),
        (replace("CHANGELOG.md", "1.2.2 (2026-11-01)", "1.2.3 (2026-12-01)"), "is there twice"),
        (replace("CHANGELOG.md", CHANGELOG, "# Changelog\n"), "has no release"),
        (replace("deploy/kustomization.yaml", "1.2.3", "1.2.2"), "names version 1.2.2, not 1.2.3"),
        (replace("docs/deployment.md", "1.2.3", "1.2.2"), "docs/deployment.md: names version"),
        (released_before("v1.2.3"), "v1.2.3 is released already"),
        (released_before("v1.10.0"), "v1.10.0 is released already"),
        (lambda root: (root / "left").write_text("over"), "the tree is not clean: ?? left"),
        (lambda root: (root / "README.md").write_text("other"), "the tree is not clean"),
    ],
)
def test_what_is_not_whole_is_refused(
    root: Path, change: Callable[[Path], None], told: str
) -> None:
    change(root)

    assert any(told in one for one in problems(root)), list(problems(root))


@pytest.mark.parametrize("tag", ["v1.2.4", "1.2.3", "v1.2.3-rc1"])
def test_a_tag_of_another_version_is_refused(root: Path, tag: str) -> None:
    assert list(problems(root, tag)) == [
        f"the tag is {tag}, and the package's version is 1.2.3: v1.2.3 is meant"
    ]
