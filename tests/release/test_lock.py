"""The image's packages are those of `setup.cfg`, in the versions of `constraints.txt`."""

import json
import re
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from chatproxy import __version__
from release.lock import EXTRAS, FOLDER, ROOT
from release.sbom import bill

PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)
FILES = ("requirements.txt", "build-requirements.txt")


def pinned(text: str) -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in PINNED.findall(text)}


def lock(name: str = "requirements.txt") -> str:
    return (FOLDER / name).read_text()


CONSTRAINTS = pinned((ROOT / "constraints.txt").read_text())


def needed(name: str, extras: tuple[str, ...], known: set[tuple[str, str]]) -> None:
    """Follow what an installed package requires, with its extras."""
    for text in metadata.requires(name) or ():
        requirement = Requirement(text)
        marker = requirement.marker

        if marker is not None and not any(marker.evaluate({"extra": one}) for one in ("", *extras)):
            continue

        other = canonicalize_name(requirement.name)

        for extra in ("", *requirement.extras):
            if (other, extra) not in known:
                known.add((other, extra))
                needed(other, tuple(requirement.extras), known)


def test_it_has_what_the_package_and_the_images_extras_need() -> None:
    """Where this fails: `make lock`."""
    known: set[tuple[str, str]] = set()
    needed("chatproxy", EXTRAS, known)

    assert set(pinned(lock())) == {name for name, _ in known}


@pytest.mark.parametrize("name", FILES)
def test_versions_are_those_that_are_tested(name: str) -> None:
    """Where this fails: `make lock`."""
    found = pinned(lock(name))

    assert found
    assert {one: CONSTRAINTS.get(one) for one in found} == found


def test_what_builds_the_wheel_is_there() -> None:
    backend = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]

    assert set(pinned(lock("build-requirements.txt"))) == {Requirement(one).name for one in backend}


@pytest.mark.parametrize("name", FILES)
def test_each_package_has_hashes(name: str) -> None:
    for part in re.split(r"\n(?=\S)", lock(name)):
        if PINNED.match(part):
            assert part.count("--hash=sha256:") >= 1, part


@pytest.mark.parametrize("name", FILES)
def test_nothing_tells_where_it_was_made(name: str) -> None:
    options = [line for line in lock(name).splitlines() if line.startswith("-")]

    assert options == []
    assert "//" not in lock(name)
    assert str(ROOT) not in lock(name)


def test_the_bill_of_materials_has_the_images_packages() -> None:
    found = bill()
    components = {canonicalize_name(one["name"]): one["version"] for one in found["components"]}
    (dependencies,) = (one for one in found["dependencies"] if one["ref"] == "chatproxy")

    assert found["bomFormat"] == "CycloneDX"
    assert components == pinned(lock())
    assert found["metadata"]["component"]["version"] == __version__
    assert len(dependencies["dependsOn"]) == len(components)
    assert all(one["externalReferences"][0]["hashes"] for one in found["components"])
    assert json.dumps(found) == json.dumps(bill())
