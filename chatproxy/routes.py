"""The table of what is reachable: nothing is, that does not stand here."""

from flask import Blueprint, Flask
from werkzeug.routing import BaseConverter

from chatproxy.providers.stream.endpoints import api_key
from chatproxy.providers.stream.endpoints import config
from chatproxy.web import relay as proxy
from chatproxy.web import status
from chatproxy.providers.stream.endpoints import token
from chatproxy.providers.stream.endpoints import webhook
from chatproxy.providers import REGISTRY
from chatproxy.services import Services

#: The sidecar's own endpoints, below the service prefix. They speak for the provider
#: at the root and are there when it is on. Open to whoever reaches the port.
OWN: tuple[Blueprint, ...] = (
    token.blueprint,
    api_key.blueprint,
    config.blueprint,
    webhook.blueprint,
)


class Anything(BaseConverter):
    """The rest of a path whatever it holds, nothing, slashes and line ends included.

    What a path may be is decided from its raw form, not by the router.
    """

    regex = r"[\s\S]*"
    part_isolating = False


def register(app: Flask, services: Services) -> None:
    """Register every blueprint at its place."""
    prefix = services.settings.service_prefix
    app.url_map.converters["anything"] = Anything
    app.register_blueprint(status.blueprint, url_prefix="/-")

    if services.default is not None:
        for blueprint in OWN:
            app.register_blueprint(blueprint, url_prefix=prefix or None)

    for mount, route in proxy.mounts(services).items():
        app.register_blueprint(proxy.blueprint(mount, route), url_prefix=mount)

    for name in services.routes:
        for blueprint in REGISTRY[name].make_blueprints(services):
            app.register_blueprint(blueprint, url_prefix=prefix or None)


def root_mounts(services: Services) -> dict[str, str]:
    """Map the port of each listener of its own to the path that stands at its root."""
    return {
        str(route.provider.root_port): f"{services.settings.service_prefix}/{name}/proxy"
        for name, route in services.routes.items()
        if route.provider.root_port is not None
    }
