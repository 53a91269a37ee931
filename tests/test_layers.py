"""The rules of the house: who may import whom, who may read what."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatproxy.providers import REGISTRY

PACKAGE = Path(__file__).parent.parent / "chatproxy"
FILES = sorted(path for path in PACKAGE.rglob("*.py"))
SURFACE = re.compile(r"(providers/[a-z]+/)?endpoints/")


def name_of(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def imports(path: Path) -> Iterator[str]:
    """Yield the full name of everything that a file imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def inner(path: Path) -> set[str]:
    """The parts of chatproxy that a file imports, by their first name."""
    return {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("chatproxy.") and len(name.split(".")) > 1
    }


def below(folder: str) -> list[Path]:
    return [path for path in FILES if name_of(path).startswith(f"{folder}/")]


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [
        ("forwarding", {"errors", "forwarding"}),
        ("signing", {"errors", "signing", "strictjson"}),
        ("identity", {"errors", "identity", "variables"}),
        ("limiting", {"errors", "limiting", "variables"}),
        (
            "providers",
            {
                *("credential", "errors", "identity", "limiting", "providers", "signing"),
                *("timestamps", "variables"),
            },
        ),
    ],
)
def test_a_lower_room_knows_only_what_is_below_it(folder: str, allowed: set[str]) -> None:
    """A provider's endpoints are the surface, and may know everything."""
    beyond = {
        name_of(path): inner(path) - allowed
        for path in below(folder)
        if not SURFACE.match(name_of(path))
    }

    assert not any(beyond.values()), beyond


def test_flask_stays_in_the_endpoints_and_the_factory() -> None:
    found = [
        name_of(path)
        for path in FILES
        if any(name.split(".")[0] == "flask" for name in imports(path))
    ]

    assert [name for name in found if not SURFACE.match(name)] == ["__init__.py"]


def test_the_sidecar_does_not_need_the_stand_in() -> None:
    users = [name_of(path) for path in FILES if "sandbox" in inner(path)]

    assert [name for name in users if not name.startswith("sandbox/")] == ["cli/__init__.py"]


@pytest.mark.parametrize(
    ("words", "home"),
    [
        (("os.environ", "os.getenv"), {"settings.py", "localrun.py"}),
        (("time.time", "time.monotonic", "datetime.now"), {"services.py", "localrun.py"}),
    ],
    ids=["environment", "clock"],
)
def test_there_is_one_home_for(words: tuple[str, ...], home: set[str]) -> None:
    found = {
        name_of(path)
        for path in FILES
        if not name_of(path).startswith("sandbox/")
        and any(word in path.read_text() for word in words)
    }

    assert found == home


def test_only_a_providers_own_folder_names_its_module() -> None:
    """A local run may: the stand-in it starts is that provider's."""
    for provider in REGISTRY:
        users = {name_of(path) for path in FILES if f"providers.{provider}" in path.read_text()}
        outside = {
            name for name in users if not name.startswith((f"providers/{provider}/", "sandbox/"))
        }

        assert outside - {"localrun.py"} == {"providers/__init__.py"}
