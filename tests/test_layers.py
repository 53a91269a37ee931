"""The rules of the house: who may import whom, who may read what."""

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatproxy.providers import SETTINGS
from chatproxy.providers.registry import REGISTRY

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "chatproxy"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(PACKAGE.rglob("*.py"))
}

#: The floors, from the top: a module imports from those below its own, and from its own room.
#: The first pattern that fits counts. Rooms on one floor do not know each other.
FLOORS = [
    [r"__main__", r"wsgi"],
    [r"cli"],
    [r"app", r"gunicorn_conf"],
    [r"routes"],
    [r"openapi(?=\.(?!operation|failures))"],
    [r"providers\.registry"],
    [r"providers\.[a-z]+\.endpoints"],
    [r"web"],
    [r"openapi"],  # how an operation is declared, beside its view
    [r"upkeep"],
    [r"services"],
    [rf"providers\.(?:{'|'.join(SETTINGS)})(?=\.(?!settings|client_config|permissions))"],
    [r"providers\.base"],
    [r"providers\.paths", r"providers\.issuing", r"providers\.people", r"providers\.events"],
    [r"receiving"],
    [r"server", r"limiting", r"tracing"],
    [r"forwarding", r"identity", r"signing"],
    [r"providers"],  # the settings of each, and the table that names them
    [r"settings", r"logs"],
    [r"access", r"metrics"],
    [r"formats"],
    [r"errors", r"clock", r"turns", r"names", r"health", r"left_out", r"__init__"],
]


def place_of(module: str) -> tuple[int, str]:
    """The floor of a module, counted from the top, and its room there."""
    inner = module.partition(".")[2] or "__init__"

    for number, rooms in enumerate(FLOORS):
        for room in rooms:
            if found := re.match(rf"(?:{room})(?=\.|$)", inner):
                return number, found[0]

    raise AssertionError(f"{module} stands on no floor")


@functools.cache
def imports(path: Path) -> tuple[str, ...]:
    """The full name of everything that a file imports, for types only too."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports by their full name"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_of(name: str) -> str:
    """The module in which an imported name lies."""
    while name not in MODULES:
        name = name.rpartition(".")[0]

    return name


ARROWS = {
    name: {module_of(one) for one in imports(path) if one.partition(".")[0] == "chatproxy"} - {name}
    for name, path in MODULES.items()
}


def test_every_arrow_points_down_or_stays_in_its_room() -> None:
    up = [
        f"{name} -> {other}"
        for name, others in ARROWS.items()
        for other in others
        if place_of(other)[0] < place_of(name)[0]
        or (place_of(other)[0] == place_of(name)[0] and place_of(other) != place_of(name))
    ]

    assert up == []


def test_no_two_modules_need_each_other() -> None:
    """Not even for types. A package does not need what lies in it to be imported first."""
    done: set[str] = set()
    circles: list[str] = []

    def follow(name: str, way: tuple[str, ...]) -> None:
        if name in way:
            circles.append(" -> ".join((*way[way.index(name) :], name)))
        elif name not in done:
            for other in sorted(ARROWS[name]):
                follow(other, (*way, name))

            done.add(name)

    for name in MODULES:
        follow(name, ())

    assert circles == []


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("flask", r"web\.|routes$|app$|providers\.[a-z]+\.endpoints\."),
        ("sqlalchemy", r"identity\."),
        ("requests", r"forwarding|services$|tracing\.export$"),
        ("opentelemetry", r"tracing\.(spans|export)$"),
        ("gunicorn", r"server\.|gunicorn_conf$"),
        ("prometheus_client", r"metrics\.exposition$"),
    ],
)
def test_a_library_stays_where_it_belongs(library: str, homes: str) -> None:
    users = [
        name.partition(".")[2]
        for name, path in MODULES.items()
        if any(one.partition(".")[0] == library for one in imports(path))
    ]

    assert users
    assert [name for name in users if not re.match(homes, name)] == []


def test_the_package_needs_neither_the_stand_ins_nor_the_tests() -> None:
    foreign = {"sandbox", "tests", "benchmarks"}
    users = [
        name
        for name, path in MODULES.items()
        if foreign & {one.partition(".")[0] for one in imports(path)}
    ]

    assert users == []


@pytest.mark.parametrize(
    ("words", "home"),
    [
        # A probe must not load the settings: it knows four variables itself, and gets them here.
        (("os.environ", "os.getenv"), r"settings(\.|$)|__main__$|cli\.health$"),
        (("time.time", "time.monotonic", "datetime.now"), r"clock$"),
    ],
    ids=["environment", "clock"],
)
def test_there_is_one_home_for(words: tuple[str, ...], home: str) -> None:
    users = [
        name.partition(".")[2]
        for name, path in MODULES.items()
        if any(word in path.read_text() for word in words)
    ]

    assert users
    assert [name for name in users if not re.match(home, name)] == []


@pytest.mark.parametrize("provider", SETTINGS)
def test_only_a_providers_own_folder_names_it(provider: str) -> None:
    """The two tables do, each once."""
    users = {
        name.partition(".")[2]
        for name, path in MODULES.items()
        if re.search(rf"\b{provider}\b", path.read_text(), re.IGNORECASE)
    }
    outside = {name for name in users if not name.startswith(f"providers.{provider}")}

    if provider == "stream":  # also an ordinary word
        named = f"providers.{provider}"
        outside = {name for name in outside if named in MODULES[f"chatproxy.{name}"].read_text()}

    assert outside == {"providers", "providers.registry"}


def test_both_tables_name_the_same_providers() -> None:
    assert list(REGISTRY) == list(SETTINGS)
