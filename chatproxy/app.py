"""The application factory."""

from flask import Flask

from chatproxy import logs
from chatproxy.clock import Clock
from chatproxy.providers import SETTINGS
from chatproxy.providers.registry import make_providers
from chatproxy.routes import forwarding_mounts, routes
from chatproxy.services import open_services
from chatproxy.settings import Settings, load
from chatproxy.settings.watch import InForce, inherited
from chatproxy.web import error_handlers, routing
from chatproxy.web.answers import not_sniffed
from chatproxy.web.dialects import Dialects
from chatproxy.web.renewal import Renewal
from chatproxy.web.request_log import RequestLog
from chatproxy.web.same_origin import SameOrigin


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> Flask:
    """Build the WSGI application from settings, or from what the server's first process has read.

    Without either it reads the environment; raises `SettingsError` with every problem at once.
    """
    watch = inherited() if settings is None else None
    number, in_force = (0, InForce(settings or load(SETTINGS))) if watch is None else watch.posted()
    services = open_services(in_force.settings, make_providers(in_force.settings), clock)
    services.config.problems = in_force.problems
    # Derived credentials, such as a Basic header or a signed token, are known only now.
    logs.hide([*in_force.hidden, *services.secrets()])

    if watch is not None:
        services.renew = Renewal(watch, number, services, make_providers)

    app = routing.Application("chatproxy", static_folder=None)
    # OPTIONS is answered by the surfaces that allow CORS, and refused by all others.
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.extensions["chatproxy"] = services
    app.url_map.merge_slashes = False  # else `/proxy//x` is answered with a redirect
    app.url_map.strict_slashes = False

    dialects = Dialects(services, forwarding_mounts(services))
    error_handlers.register(app, dialects)
    listeners = in_force.settings.listeners()
    same_origin = SameOrigin(in_force.settings)
    routing.register(app, routes(services), dialects, same_origin, listeners)
    app.after_request(not_sniffed)
    taken = routing.first_segments(app, "client")
    app.wsgi_app = RequestLog(app.wsgi_app, services, listeners, taken)  # type: ignore[method-assign]
    return app
