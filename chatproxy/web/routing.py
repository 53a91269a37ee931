"""Registering the routes of the table, each behind its guard."""

import collections
import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

from flask import Flask, Request, Response
from flask.sessions import SessionInterface, SessionMixin
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter, Map, MapAdapter, Rule
from werkzeug.sansio.utils import get_host

from chatproxy.settings.listeners import Door, Listener
from chatproxy.web import access
from chatproxy.web.answers import Json
from chatproxy.web.current import KEY, RequestContext, current_request, surface_path
from chatproxy.web.dialects import Dialects
from chatproxy.web.route import Route
from chatproxy.web.same_origin import MOST_HOSTS, SameOrigin
from chatproxy.web.spelling import template


class Anything(BaseConverter):
    """The rest of a path, whatever it holds: nothing, slashes and line ends included."""

    # What a path may hold is decided from its raw form (`forwarding.target`), not by the router.
    # Werkzeug's own `path` converter takes no empty rest and no double slash at its start.
    regex = r"[\s\S]*"
    part_isolating = False


#: How such a rule ends.
REST = "<anything:path>"


#: By the start of a path, which rule a method has there, whatever follows.
Mounts = dict[str, dict[str, Rule]]


class Adapter(MapAdapter):
    """Finds the rule of a request. Those of `mounts` it finds by the start of the path alone.

    The map goes through all segments of a path, and every call that is forwarded would wait for it.
    """

    mounts: Mounts

    def match(self, *args: Any, **options: Any) -> Any:
        """Return what the map finds; raise what it raises."""
        # Flask asks like this, and others for another path or method.
        if not args and options == {"return_rule": True} and not self.websocket:
            for start, rules in self.mounts.items():
                if self.path_info.startswith(start):
                    if (rule := rules.get(self.default_method)) is not None:
                        return rule, {"path": self.path_info[len(start) :]}

                    break

        return super().match(*args, **options)


class NoSessions(SessionInterface):
    """No cookie is read or written: Flask is handed the same empty session for each request."""

    def __init__(self) -> None:
        self._empty = self.null_session_class()

    def open_session(self, app: Flask, request: Request) -> SessionMixin:  # noqa: ARG002
        """Return the session that cannot be written to, and so is never saved."""
        return self._empty


class Application(Flask):
    """A Flask application in which a request finds the rules of one door, and no others.

    Of what Flask does for each request it leaves out what is never needed here.
    """

    # What is at another door does not exist here: no guard is asked, and no 405 tells of it.
    # Werkzeug compares the subdomain before the path, so a rule's door is kept as its subdomain.

    session_interface = NoSessions()
    json_provider_class = Json

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Callers choose what they send, and to check it takes longer than all other routing.
        self.mounts: dict[Door, Mounts] = collections.defaultdict(dict)
        self._server_name = functools.lru_cache(MOST_HOSTS)(self._checked_name)

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what finds the rule of a request."""
        if request is None:
            return None

        environ = request.environ
        door: Door = environ[KEY].listener.door
        adapter = Adapter(
            self.url_map,
            self._server_name(environ.get("HTTP_HOST", "")),
            "/",
            door,
            "ws" if "HTTP_UPGRADE" in environ and _is_websocket(environ) else request.scheme,
            request.path,
            request.method,
        )
        adapter.mounts = self.mounts[door]
        return adapter

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a view or a hook: none of ours is a coroutine, and to look costs each call."""
        return func

    def preprocess_request(self) -> ResponseReturnValue | None:
        """Call the hooks before a view, until one of them answers."""
        hooks = self.before_request_funcs

        for name in (None, *reversed(current_request().blueprints)):
            for hook in hooks.get(name, ()):
                answer: Any = hook()

                if answer is not None:
                    return answer  # type: ignore[no-any-return]

        return None

    def process_response(self, response: Response) -> Response:
        """Call the hooks after a view, the last first."""
        hooks = self.after_request_funcs

        for name in (*current_request().blueprints, None):
            for hook in reversed(hooks.get(name, ())):
                response = hook(response)

        return response

    def do_teardown_request(self, exc: BaseException | None = None) -> None:
        """Do nothing: nobody waits for the end of a request here but `request_log`."""

    def _checked_name(self, host: str) -> str:
        # Raises `BadHost`. What is no name at all counts as none.
        return self.url_map.bind(get_host("http", host)).server_name


def _is_websocket(environ: Mapping[str, Any]) -> bool:
    # As `Map.bind_to_environ` has it.
    tokens = environ.get("HTTP_CONNECTION", "").lower().split(",")
    asked = environ["HTTP_UPGRADE"].lower() == "websocket"
    return asked and any(one.strip() == "upgrade" for one in tokens)


def _has_all_below(rule: Rule, rules: Map) -> bool:
    start = rule.rule.removesuffix(REST)
    here = [one for one in rules.iter_rules() if one.subdomain == rule.subdomain]
    return start != rule.rule and [one for one in here if one.rule.startswith(start)] == [rule]


def first_segments(app: Flask, door: Door) -> frozenset[str]:
    """Return the first segments of all paths that are routed at a door."""
    rules = (rule for rule in app.url_map.iter_rules() if rule.subdomain == door)
    return frozenset(rule.rule.split("/")[1] for rule in rules)


def register(
    app: Application,
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
    # By the name of an endpoint, so that the name of its blueprint is taken out of it once.
    of_endpoint = {
        rule.endpoint: (blueprint.partition("-")[0], lines[blueprint])
        for rule in app.url_map.iter_rules()
        if (blueprint := rule.endpoint.rpartition(".")[0]) in lines
    }
    app.extensions["chatproxy.routes"] = lines

    for rule in app.url_map.iter_rules():
        _, line = of_endpoint.get(rule.endpoint, ("", None))

        if line is not None and line.forwards and _has_all_below(rule, app.url_map):
            methods = dict.fromkeys(rule.methods or (), rule)
            app.mounts[cast(Door, rule.subdomain)][rule.rule.removesuffix(REST)] = methods

    @app.before_request
    def admit() -> None:
        asked = current_request()
        environ, rule = asked.environ, asked.url_rule
        current: RequestContext = environ[KEY]
        surface, line = of_endpoint[rule.endpoint] if rule is not None else ("", None)

        if rule is not None and line is not None:
            current.route, current.provider = templates[rule.rule], line.provider

        # Raised here and not by the layer outside, so that a bad head, too, is answered in the
        # format of its surface.
        if current.refusal is not None:
            raise current.refusal

        # Without a line nothing is served, and a page of another site cannot read how we say so.
        if line is None or not line.any_host:
            same_origin.check_host(environ, current.listener)

        if line is not None and not line.pages():
            same_origin.check_site(environ)

        upgrade = environ.get("HTTP_UPGRADE")

        if upgrade is not None and not isinstance(asked.routing_exception, NotFound):
            dialects.refuse_websocket(surface_path(), upgrade)

        # Without a line nothing was found, and no view is called.
        if line is not None:
            # On every route: a proxy in front that resolves `x%2f..%2f` has let the request through
            # for another path than the one that is served here.
            current.target.refuse_dot_segments()
            current.surface = surface
            # First who calls, then what else the call needs: no byte of a body is read for a
            # caller that may not make it.
            access.check(line)
            current.authenticated = line.guard()
