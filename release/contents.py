"""What is in the wheel and the sdist: `python -m release.contents FOLDER`.

Both hold the files that git knows below `chatproxy/`, byte for byte, and nothing of the tests, the
stand-ins or the machine that built them.
"""

import email
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from email.message import Message
from pathlib import Path

from readme_renderer import markdown

from chatproxy import __version__

ROOT = Path(__file__).parent.parent
DIST_INFO = f"chatproxy-{__version__}.dist-info"
#: What a build adds to the package's own files.
WHEEL_INFO = {
    f"{DIST_INFO}/{name}"
    for name in (
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
        "top_level.txt",
    )
}
SDIST_OWN = {
    *("LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.cfg"),
    *("PKG-INFO", "chatproxy.egg-info/PKG-INFO", "chatproxy.egg-info/SOURCES.txt"),
    *(f"chatproxy.egg-info/{name}.txt" for name in ("dependency_links", "entry_points")),
    *(f"chatproxy.egg-info/{name}.txt" for name in ("requires", "top_level")),
}


def problems(folder: Path) -> Iterator[str]:
    """Yield a line for each fault of the wheel and of the sdist in a folder."""
    (wheel,) = folder.glob("chatproxy-*.whl")
    (sdist,) = folder.glob("chatproxy-*.tar.gz")
    sources = package_files(ROOT)
    in_wheel, in_sdist = wheel_files(wheel), sdist_files(sdist)

    yield from differences("the wheel", in_wheel, sources, WHEEL_INFO)
    yield from differences("the sdist", in_sdist, sources, SDIST_OWN)

    for place, files in (("the wheel", in_wheel), ("the sdist", in_sdist)):
        for name, content in files.items():
            if str(ROOT).encode() in content:
                yield f"{place}: {name} names a folder of this machine"

    yield from metadata_problems(email.message_from_bytes(in_wheel[f"{DIST_INFO}/METADATA"]))


def package_files(root: Path) -> dict[str, bytes]:
    """Read what git knows of the package, by path."""
    command = ["git", "-C", str(root), "ls-files", "-z", "--", "chatproxy"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    names = [name for name in listed.split("\0") if name]
    return {name: (root / name).read_bytes() for name in names if (root / name).is_file()}


def wheel_files(path: Path) -> dict[str, bytes]:
    """Read the files of a wheel, by name."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def sdist_files(path: Path) -> dict[str, bytes]:
    """Read the files of an sdist, by their path below its one folder."""
    found = {}

    with tarfile.open(path) as archive:
        for member in archive:
            if file := archive.extractfile(member):
                found[member.name.partition("/")[2]] = file.read()

    return found


def differences(
    place: str, files: Mapping[str, bytes], sources: Mapping[str, bytes], added: set[str]
) -> Iterator[str]:
    """Yield a line for each file that is missing, foreign or not as in the checkout."""
    for name in sorted(set(sources) - set(files)):
        yield f"{place} lacks {name}"

    for name in sorted(set(files) - set(sources) - added):
        yield f"{place} has {name}, which is none of the package's files"

    for name in sorted(added - set(files)):
        yield f"{place} lacks {name}"

    for name in sorted(set(files) & set(sources)):
        if files[name] != sources[name]:
            yield f"{place} has another {name} than the checkout"


def metadata_problems(metadata: Message) -> Iterator[str]:
    """Yield a line for each field of a package's metadata that is not what it should be."""
    expected = {
        "Name": "chatproxy",
        "Version": __version__,
        "License-Expression": "MIT",  # SPDX
        "License-File": "LICENSE",
        "Requires-Python": ">=3.11",
        "Description-Content-Type": "text/markdown",
    }

    for name, value in expected.items():
        if metadata[name] != value:
            yield f"metadata: {name} is {metadata[name]!r}, not {value!r}"

    extras = set(metadata.get_all("Provides-Extra", []))

    for extra in ("postgresql", "redis", "socketio"):
        if extra not in extras:
            yield f"metadata: there is no extra {extra}"

    if not markdown.render(str(metadata.get_payload())):
        yield "metadata: the README cannot be rendered"


def main() -> None:
    """Print every problem; exit with 1 if there is one."""
    found = list(problems(Path(sys.argv[1])))

    for problem in found:
        print(problem, file=sys.stderr)

    if found:
        sys.exit(1)

    print("wheel and sdist hold what they should, and no more")


if __name__ == "__main__":
    main()
