"""What the table of routes makes reachable, path by path and method by method."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from flask import Flask

from chatproxy.settings.listeners import Door, Listener
from chatproxy.web.route import Route
from chatproxy.web.routing import Anything
from chatproxy.web.spelling import camel

#: A view of this name refuses the methods that its path does not have.
REFUSES = ".refuse"
VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")


@dataclasses.dataclass(frozen=True)
class Served:
    """A path with one method, the endpoint that serves it, its lines of the table, and its doors.

    `path` is in OpenAPI's form, and has no slash at its end. `registered` is the same, but for what
    stands at the root of a door: there it is where the router finds it.
    """

    path: str
    method: str
    endpoint: str
    route: Route
    doors: tuple[Door, ...]
    registered: str


def served(routes: Iterable[Route], listeners: Sequence[Listener]) -> Iterator[Served]:
    """Yield every path and method once, sorted by path."""
    open_doors = {one.door for one in listeners}
    app = Flask("chatproxy", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.converters["anything"] = Anything
    lines: dict[str, list[Route]] = {}

    for route in routes:
        name = route.blueprint.name

        if name not in lines:
            app.register_blueprint(route.blueprint, url_prefix=route.path)

        lines.setdefault(name, []).append(route)

    found: dict[tuple[str, str], Served] = {}

    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith(REFUSES) or rule.websocket:
            continue

        table = lines[rule.endpoint.partition(".")[0]]
        doors = sorted({one.door if one.door in open_doors else "service" for one in table})
        path = VARIABLE.sub(lambda match: f"{{{camel(match[1])}}}", rule.rule).rstrip("/")

        for method in (rule.methods or set()) - {"HEAD"}:
            one = Served(path, method.lower(), rule.endpoint, table[0], tuple(doors), path)
            found.setdefault((path, method), one)

    for listener in listeners:
        if listener.rest:
            found |= _at_root(found, listener)

    yield from (found[key] for key in sorted(found))


def _at_root(
    found: Mapping[tuple[str, str], Served], listener: Listener
) -> dict[tuple[str, str], Served]:
    here = {key: one for key, one in found.items() if listener.door in one.doors}
    taken = {path.split("/")[1] for path, _ in here}
    copies = {
        (path, method): dataclasses.replace(one, path=path, doors=(listener.door,))
        for (registered, method), one in here.items()
        if registered.startswith(f"{listener.rest}/")
        and (path := registered.removeprefix(listener.rest)).split("/")[1] not in taken
    }
    # What another has there, be it at another door, keeps its place in the document.
    return {key: one for key, one in copies.items() if key not in found}
