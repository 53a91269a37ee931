"""The table of routes. Nothing is reachable that is neither here nor in a provider's own table.

A line is a path, the blueprint below it, the guard that decides who may call, and the door by which
they come. A provider's table is in its `endpoints.routes`, and is used if the provider is on.
"""

import dataclasses
from collections.abc import Iterator

from chatproxy.providers.base import SendsEvents
from chatproxy.providers.registry import REGISTRY
from chatproxy.services import Backend, Services
from chatproxy.settings.listeners import proxy_path
from chatproxy.web import documentation, metrics, receiving, relay, status
from chatproxy.web.console import view as console
from chatproxy.web.route import Route, anybody, nobody_asks
from chatproxy.web.v1 import views as v1


def routes(services: Services) -> Iterator[Route]:
    """Yield the routes that are in force."""
    prefix = services.settings.service_prefix

    # The kubelet names the pod's address in `Host`, which no setting can know.
    # Nor does it bring a key; Prometheus names the address too, and can bring one.
    yield Route("/-", status.probes, anybody, "status", any_host=True, for_services=nobody_asks)
    yield Route("/-", metrics.blueprint, anybody, "status", any_host=True)
    yield Route("/-", status.check, anybody, "status")

    if services.settings.console == "true":
        yield Route("/-", console.blueprint(services), anybody, "status")

    for mount, backend in forwarding_mounts(services).items():
        # Without an access document whoever reaches the port acts with our credentials.
        yield Route(
            mount,
            relay.proxy(backend, mount),
            anybody,
            "service",
            provider=backend.provider.name,
            forwards=True,
        )

    for name in services.backends:
        for route in REGISTRY[name]().routes(services):
            yield dataclasses.replace(route, path=prefix + route.path, provider=name)

    for name, backend in services.backends.items():
        if isinstance(backend.provider, SendsEvents):
            yield from receiving.routes(f"{prefix}/webhook/{name}", backend)

    yield Route(f"{prefix}/v1", v1.blueprint, anybody, "service")

    if services.settings.documentation == "true":
        page = documentation.blueprint(lambda: written_document(services))
        yield Route(f"{prefix}/documentation", page, anybody, "service")


def written_document(services: Services) -> str:
    """Return the text of the OpenAPI document of all routes that are in force."""
    # Imported here: only who wants to see the document needs what makes it.
    from chatproxy.openapi import document

    found = document.document(services, routes(services), forwarding_mounts(services))
    return document.written(found)


def forwarding_mounts(services: Services) -> dict[str, Backend]:
    """Map each path below which calls are forwarded to its provider."""
    prefix = services.settings.service_prefix
    return {
        mount: backend
        for name, backend in services.backends.items()
        for mount in (
            proxy_path(prefix, name),
            *(f"{prefix}{one}" for one in backend.provider.mounts),
        )
    }
