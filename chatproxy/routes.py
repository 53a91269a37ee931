"""The table of what is reachable: nothing is, that does not stand here or in a provider's own.

A line is a path, the blueprint below it, and the guard that says who may call. A provider's
lines stand on top of its `endpoints`; they are there where it is on.
"""

import dataclasses
from collections.abc import Iterator

from chatproxy.providers.registry import REGISTRY
from chatproxy.services import Backend, Services
from chatproxy.web import relay, status
from chatproxy.web.routing import Route, anybody


def routes(services: Services) -> Iterator[Route]:
    """Yield the lines that are in force."""
    prefix = services.settings.service_prefix

    yield Route("/-", status.blueprint, anybody)

    for mount, backend in forwarding_mounts(services).items():
        yield Route(mount, relay.proxy(backend, mount), anybody)

    for name in services.backends:
        for route in REGISTRY[name].routes(services):
            yield dataclasses.replace(route, path=prefix + route.path)


def forwarding_mounts(services: Services) -> dict[str, Backend]:
    """Map each path below which calls are forwarded to its provider."""
    prefix = services.settings.service_prefix
    return {
        f"{prefix}{mount}": backend
        for name, backend in services.backends.items()
        for mount in (f"/{name}/proxy", *backend.provider.mounts)
    }


def listener_mounts(services: Services) -> dict[str, str]:
    """Map the port of each listener of its own to the path that stands at its root."""
    prefix = services.settings.service_prefix
    return {
        str(backend.provider.root_port): f"{prefix}/{name}/proxy"
        for name, backend in services.backends.items()
        if backend.provider.root_port is not None
    }
