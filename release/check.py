"""Whether this commit can be released: `python -m release.check [TAG]`.

All problems are told at once; none of them is mended here.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
VERSION = re.compile(r"^__version__ = \"(.*)\"$", re.MULTILINE)
NUMBER = re.compile(r"(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)")
RELEASE = re.compile(r"^## (.*)$", re.MULTILINE)
HEADING = re.compile(rf"(?P<version>{NUMBER.pattern}) \(\d{{4}}-\d\d-\d\d\)")
#: What stands between two of a changelog's headings where nothing was written.
EMPTY = re.compile(r"^(### .*)\n+(?=#|\Z)", re.MULTILINE)
LEFTOVER = re.compile(r"unreleased|TODO|TBD|FIXME", re.IGNORECASE)
#: Where else the version is written, as the tag of the image.
IMAGE_TAG = re.compile(r"(?:chatproxy:|newTag: |kubernetes\.io/version: )(\d+\.\d+\.\d+)")


def problems(root: Path, tag: str = "") -> Iterator[str]:
    """Yield a line for each reason why what lies in a folder cannot be released."""
    version = version_of(root)
    yield from _version_problems(root, version, tag)
    yield from _changelog_problems((root / "CHANGELOG.md").read_text(), version)

    for path in (*root.glob("docs/*.md"), *root.glob("deploy/**/*.yaml"), root / "README.md"):
        for other in IMAGE_TAG.findall(path.read_text()):
            if other != version:
                yield f"{path.relative_to(root)}: names version {other}, not {version}"

    for line in git(root, "status", "--porcelain").splitlines():
        yield f"the tree is not clean: {line}"


def version_of(root: Path) -> str:
    """Return the version that the package says it has."""
    found = VERSION.search((root / "chatproxy" / "__init__.py").read_text())
    return found[1] if found else ""


def _version_problems(root: Path, version: str, tag: str) -> Iterator[str]:
    if not NUMBER.fullmatch(version):
        yield f"chatproxy/__init__.py: {version!r} is not MAJOR.MINOR.PATCH"
        return

    if tag and tag != f"v{version}":
        yield f"the tag is {tag}, and the package's version is {version}: v{version} is meant"

    tags = git(root, "tag", "--list", "v*").split()
    here = git(root, "tag", "--list", "v*", "--points-at", "HEAD").split()

    for other in tags:
        if (
            NUMBER.fullmatch(other[1:])
            and other not in here
            and _order(other[1:]) >= _order(version)
        ):
            yield f"{other} is released already, so the version has to be above {version}"


def _order(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def _changelog_problems(text: str, version: str) -> Iterator[str]:
    headings = RELEASE.findall(text)
    parts = RELEASE.split(text)

    if not headings:
        yield "CHANGELOG.md: has no release"
        return

    if not (found := HEADING.fullmatch(headings[0])):
        yield f"CHANGELOG.md: the newest heading is {headings[0]!r}, not VERSION (YYYY-MM-DD)"
    elif found["version"] != version:
        yield f"CHANGELOG.md: the newest heading is {found['version']}, the package's {version}"

    for one in {one for one in headings if headings.count(one) > 1}:
        yield f"CHANGELOG.md: {one!r} is there twice"

    newest = parts[2]

    if not newest.strip():
        yield f"CHANGELOG.md: nothing is written below {headings[0]!r}"

    for section in EMPTY.findall(newest):
        yield f"CHANGELOG.md: nothing is written below {section!r}"

    for line in text.splitlines():
        if LEFTOVER.search(line):
            yield f"CHANGELOG.md: is not finished: {line.strip()!r}"


def git(root: Path, *arguments: str) -> str:
    """Ask git about a folder; return what it prints."""
    command = ["git", "-C", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main() -> None:
    """Print every problem; exit with 1 if there is one."""
    found = list(problems(ROOT, *sys.argv[1:2]))

    for problem in found:
        print(problem, file=sys.stderr)

    if found:
        sys.exit(1)

    print(f"{version_of(ROOT)} can be released")


if __name__ == "__main__":
    main()
