"""What the table of routes makes reachable, path by path and method by method."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence

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

    `path` is in OpenAPI's form, and has no slash at its end.
    """

    path: str
    method: str
    endpoint: str
    route: Route
    doors: tuple[Door, ...]


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
            one = Served(path, method.lower(), rule.endpoint, table[0], tuple(doors))
            found.setdefault((path, method), one)

    yield from (found[key] for key in sorted(found))
