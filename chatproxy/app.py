"""The application factory."""

from flask import Flask

from chatproxy import logs
from chatproxy.providers import SETTINGS
from chatproxy.providers.registry import REGISTRY
from chatproxy.routes import forwarding_mounts, routes
from chatproxy.services import Clock, open_services
from chatproxy.settings import Settings, load
from chatproxy.web import error_handlers, routing
from chatproxy.web.answers import not_sniffed
from chatproxy.web.dialects import Dialects
from chatproxy.web.request_log import RequestLog
from chatproxy.web.same_origin import SameOrigin


def create_app(settings: Settings | None = None, clock: Clock | None = None) -> Flask:
    """Build the WSGI application from settings, or from the environment.

    Raises `SettingsError` with every problem at once.
    """
    settings = settings or load(SETTINGS)
    clock = clock or Clock()
    providers = [
        REGISTRY[name].provider(section, clock.monotonic)
        for name, section in settings.provider_settings.items()
    ]
    services = open_services(settings, providers, clock)
    # Derived credentials, such as a Basic header or a signed token, are known only now.
    logs.hide(services.secrets())

    app = routing.Application("chatproxy", static_folder=None)
    # OPTIONS is answered by the surfaces that allow CORS, and refused by all others.
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.extensions["chatproxy"] = services
    app.url_map.merge_slashes = False  # else `/proxy//x` is answered with a redirect
    app.url_map.strict_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]

    dialects = Dialects(services, forwarding_mounts(services))
    error_handlers.register(app, dialects)
    listeners = settings.listeners()
    routing.register(app, routes(services), dialects, SameOrigin(settings), listeners)
    app.after_request(not_sniffed)
    app.wsgi_app = RequestLog(app.wsgi_app, services, listeners)  # type: ignore[method-assign]
    return app
