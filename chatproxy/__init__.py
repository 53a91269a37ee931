"""chatproxy: the sidecar that holds a chat provider's credentials."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from chatproxy.services import Clock
    from chatproxy.settings import Settings


def create_app(settings: "Settings | None" = None, clock: "Clock | None" = None) -> "Flask":
    """Build the WSGI application from settings, or from the environment.

    Raises `SettingsError` with every problem at once.
    """
    # Imported here because the server's first process imports this package for its
    # configuration: what a worker has to patch must not be loaded before it is.
    from flask import Flask

    from chatproxy import endpoints, logs
    from chatproxy.web.context import RequestLog
    from chatproxy.routes import failure
    from chatproxy.services import open_services
    from chatproxy.settings import load

    services = open_services(settings or load(), clock)
    logs.hide(services.secrets())

    app = Flask(__name__, static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.extensions["chatproxy"] = services
    app.url_map.merge_slashes = False  # else `/proxy//x` is answered by a redirect
    app.url_map.strict_slashes = False
    app.json.sort_keys = False  # type: ignore[attr-defined]

    failure.register(app, services)
    endpoints.register(app, services)
    app.wsgi_app = RequestLog(app.wsgi_app, services, endpoints.root_mounts(services))  # type: ignore[method-assign]
    return app
