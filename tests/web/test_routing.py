"""A guard stands before every view, and what it makes of the caller reaches the view."""

from typing import Any

import pytest
from flask import Blueprint, Flask, Request, Response, jsonify
from flask.testing import FlaskClient
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter
from werkzeug.test import EnvironBuilder

from chatproxy import settings
from chatproxy.app import create_app
from chatproxy.errors import Forbidden
from chatproxy.providers import SETTINGS
from chatproxy.services import Services
from chatproxy.web import error_handlers, routing
from chatproxy.web.current import KEY, RequestContext, authenticated
from chatproxy.web.dialects import Dialects
from chatproxy.web.request_log import RequestLog
from chatproxy.web.route import Route, anybody
from chatproxy.web.same_origin import SameOrigin
from tests.everything import environ_before

ENVIRON = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}


@pytest.fixture
def services() -> Services:
    found: Services = create_app(settings.load(SETTINGS, ENVIRON)).extensions["chatproxy"]
    return found


def room(name: str, served: list[str]) -> Blueprint:
    """A blueprint with one view, which notes that it was served."""
    made = Blueprint(name, __name__)

    @made.get("")
    def view() -> Response:
        served.append(name)
        return jsonify(authenticated(object))

    return made


def serving(services: Services, *routes: Route, past: Blueprint | None = None) -> FlaskClient:
    """An application with these lines in its table, and perhaps a blueprint past it."""
    app = routing.Application("chatproxy")
    listeners = services.settings.listeners()
    app.extensions["chatproxy"] = services
    dialects = Dialects(services, {})
    error_handlers.register(app, dialects)
    routing.register(app, routes, dialects, SameOrigin(services.settings), listeners)

    if past is not None:
        app.register_blueprint(past, url_prefix="/past")

    app.wsgi_app = RequestLog(app.wsgi_app, services, listeners)
    return app.test_client()


def get(client: FlaskClient, path: str) -> Any:
    return client.get(path, environ_overrides={"RAW_URI": path})


def test_what_the_guard_returns_reaches_the_view(services: Services) -> None:
    client = serving(
        services, Route("/room", room("room", []), lambda: {"who": "alice"}, "service")
    )

    assert get(client, "/room").get_json() == {"who": "alice"}


def test_whom_the_guard_refuses_no_view_serves(services: Services) -> None:
    served: list[str] = []

    def refuse() -> None:
        raise Forbidden("Not you.")

    answer = get(
        serving(services, Route("/room", room("room", served), refuse, "service")), "/room"
    )

    assert (answer.status_code, answer.get_json()) == (403, {"errorMsg": "Not you."})
    assert served == []


def test_a_blueprint_without_a_line_in_the_table_serves_nobody(services: Services) -> None:
    served: list[str] = []
    table = Route("/room", room("room", served), anybody, "service")
    answer = get(serving(services, table, past=room("past", served)), "/past")

    assert answer.status_code == 404  # it is at no door
    assert served == []


def test_where_the_router_finds_nothing_no_guard_is_asked(services: Services) -> None:
    asked: list[str] = []
    client = serving(
        services, Route("/room", room("room", []), lambda: asked.append("guard"), "service")
    )

    assert get(client, "/elsewhere").status_code == 404
    assert client.post("/room", environ_overrides={"RAW_URI": "/room"}).status_code == 405
    assert asked == []


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """One with all providers."""
    url = f"sqlite:///{tmp_path_factory.mktemp('directory')}/d"
    environ = environ_before("http://127.0.0.1:9") | {"DATABASE_URL": url}
    return create_app(settings.load(SETTINGS, environ))


def test_no_hook_is_registered_that_is_never_called(application: Flask) -> None:
    """`Application` leaves these kinds out."""
    assert application.after_request_funcs
    assert not application.url_value_preprocessors
    assert not application.teardown_request_funcs


PATHS = [
    *("/proxy", "/proxy/", "/proxy/app", "//proxy/app", "/proxy//app", "/proxyx/app", "/%70roxy/x"),
    *("/proxy/a/b/c", "/proxy/\n", "/stream/proxy/x", "/imkit/proxy/x", "/imkit/x", "/", "/x/"),
]
HANDSHAKE = {"HTTP_CONNECTION": "a, Upgrade", "HTTP_UPGRADE": "WebSocket"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT", "get", "NONE"])
@pytest.mark.parametrize("more", [{}, HANDSHAKE], ids=["plain", "handshake"])
@pytest.mark.parametrize("path", PATHS)
def test_a_mount_is_found_as_the_map_finds_it(
    application: Flask, path: str, method: str, more: dict[str, str]
) -> None:
    environ = EnvironBuilder(path=path, method=method).get_environ() | more
    listener = application.extensions["chatproxy"].settings.listeners()[0]
    environ[KEY] = RequestContext(environ, listener, lambda: 0.0)
    request = Request(environ)
    adapter = application.create_url_adapter(request)
    assert adapter is not None
    plain = application.url_map.bind_to_environ(environ, subdomain=listener.door)

    def found(one: MapAdapter) -> Any:
        try:
            return one.match(return_rule=True)
        except HTTPException as error:
            return type(error), sorted(getattr(error, "valid_methods", None) or [])

    assert found(adapter) == found(plain)
    assert (adapter.websocket, adapter.server_name) == (plain.websocket, plain.server_name)


def test_every_way_to_forward_is_such_a_mount(application: Flask) -> None:
    assert isinstance(application, routing.Application)
    assert set(application.mounts["service"]) == {
        "/proxy/",
        *(f"/{name}/proxy/" for name in SETTINGS),
    }
