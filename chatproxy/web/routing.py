"""Registering the routes of the table, each behind its guard."""

from collections.abc import Iterable, Sequence

from flask import Flask, Request, request
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, MapAdapter

from chatproxy.settings.listeners import Door, Listener
from chatproxy.web import access
from chatproxy.web.current import KEY, context, surface_path
from chatproxy.web.dialects import Dialects
from chatproxy.web.route import Route
from chatproxy.web.same_origin import SameOrigin
from chatproxy.web.spelling import template


class Anything(BaseConverter):
    """The rest of a path, whatever it holds: nothing, slashes and line ends included."""

    # What a path may hold is decided from its raw form (`forwarding.target`), not by the router.
    # Werkzeug's own `path` converter takes no empty rest and no double slash at its start.
    regex = r"[\s\S]*"
    part_isolating = False


class Application(Flask):
    """A Flask application in which a request finds the rules of one door, and no others."""

    # What is at another door does not exist here: no guard is asked, and no 405 tells of it.
    # Werkzeug compares the subdomain before the path, so a rule's door is kept as its subdomain.

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the rule of a request."""
        if request is None:
            return super().create_url_adapter(request)

        door = request.environ[KEY].listener.door
        return self.url_map.bind_to_environ(request.environ, subdomain=door)


def first_segments(app: Flask, door: Door) -> frozenset[str]:
    """Return the first segments of all paths that are routed at a door."""
    rules = (rule for rule in app.url_map.iter_rules() if rule.subdomain == door)
    return frozenset(rule.rule.split("/")[1] for rule in rules)


def register(
    app: Flask,
    routes: Iterable[Route],
    dialects: Dialects,
    same_origin: SameOrigin,
    listeners: Sequence[Listener],
) -> None:
    """Register every blueprint at its door, with its guard before all its views."""
    app.url_map.converters["anything"] = Anything
    doors = {one.door for one in listeners}
    lines: dict[str, Route] = {}

    for route in routes:
        door = route.door if route.door in doors else "service"
        name = route.blueprint.name if door == "service" else f"{route.blueprint.name}-{door}"
        first = lines.setdefault(name, route)

        if first is route:
            options = {"name": name, "url_prefix": route.path, "subdomain": door}
            app.register_blueprint(route.blueprint, **options)

        # Where services and clients share a door, the first line of a surface is in force.
        assert first.guard is route.guard  # noqa: S101 - one guard must not replace another
        assert first.blueprint is route.blueprint  # noqa: S101

    templates = {rule.rule: template(rule.rule) for rule in app.url_map.iter_rules()}
    app.extensions["chatproxy.routes"] = lines

    @app.before_request
    def admit() -> None:
        current, line = context(), lines.get(request.blueprint or "")

        if line is not None and request.url_rule is not None:
            current.route, current.provider = templates[request.url_rule.rule], line.provider

        # Raised here and not by the layer outside, so that a bad head, too, is answered in the
        # format of its surface.
        if current.refusal is not None:
            raise current.refusal

        # Without a line nothing is served, and a page of another site cannot read how we say so.
        environ = request.environ

        if line is None or not line.any_host:
            same_origin.check_host(environ, current.listener)

        if line is not None and not line.pages():
            same_origin.check_site(environ)

        upgrade = environ.get("HTTP_UPGRADE")

        if upgrade is not None and not isinstance(request.routing_exception, NotFound):
            dialects.refuse_websocket(surface_path(), upgrade)

        # Without a blueprint nothing was found, and no view is called.
        if request.blueprint is not None:
            # On every route: a proxy in front that resolves `x%2f..%2f` has let the request through
            # for another path than the one that is served here.
            current.target.refuse_dot_segments()
            current.surface = request.blueprint.partition("-")[0]
            route = lines[request.blueprint]
            # First who calls, then what else the call needs: no byte of a body is read for a
            # caller that may not make it.
            access.check(route)
            current.authenticated = route.guard()
