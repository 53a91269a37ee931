"""Asks the servers that the sidecar depends on, as `/-/check-up` does."""

import dataclasses
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from chatproxy.cli.check.findings import Finding
from chatproxy.errors import ChatproxyError
from chatproxy.providers.registry import REGISTRY
from chatproxy.services import Part, Services, open_services
from chatproxy.settings import Settings
from chatproxy.settings.variables import declared, is_sound

#: Parts that are looked at without the network.
ELSEWHERE = ("directory", "settings")


def look(found: Settings) -> Iterator[Finding]:
    """Yield what is found of each server that has sound settings, all asked at once."""
    # What a server's log says of this is here said by the answer.
    logging.getLogger("chatproxy").addHandler(logging.NullHandler())
    services = open_services(*_sound(found))

    try:
        asked = [one for one in services.parts if one.name not in ELSEWHERE and one.ping]

        with ThreadPoolExecutor(max(len(asked), 1)) as pool:
            yield from pool.map(partial(_ask, services), asked)

        for name, backend in services.backends.items():
            if backend.peer is None:
                needed = backend.provider.needed
                yield Finding("ok", name, f"no server is set, so none is asked ({needed})")
    finally:
        services.close()


def _sound(found: Settings) -> tuple[Settings, list[Any]]:
    """Return the settings of what can be asked, and its providers."""
    sections = {name: one for name, one in found.provider_settings.items() if is_sound(one)}
    limiter = found.limiter

    # Without Redis each worker counts for itself, and there is nothing to ask.
    if limiter is not None and (not is_sound(limiter) or limiter.counts_in_each_worker):
        limiter = None

    webhooks = None if found.webhooks is None or not is_sound(found.webhooks) else found.webhooks
    known = dataclasses.replace(
        found,
        provider_settings=sections,
        limiter=limiter,
        webhooks=webhooks,
        directory=None,
        keys=None,
    )
    return known, [REGISTRY[name]().provider(one) for name, one in sections.items()]


def _ask(services: Services, part: Part) -> Finding:
    assert part.ping is not None  # noqa: S101

    try:
        part.ping()
    except ChatproxyError as error:
        detail = f" ({error.detail})" if error.detail else ""
        variable, mend = _mend(services, part.name)
        return Finding("error", part.name, f"{error.message}{detail} {mend}", variable=variable)

    return Finding("ok", part.name, "can be reached, and accepts us")


def _mend(services: Services, name: str) -> tuple[str | None, str]:
    """Return the variable to look at, and the sentence that says so."""
    settings = services.settings
    backend, peer = services.backends.get(name), services.peers.get(name)

    if peer is None:
        return "REDIS_URL", "Look at REDIS_URL."

    if backend is not None and backend.credential.refused:
        section = type(settings.provider_settings[name])
        secrets = [one.name for _, one in declared(section) if one.secret and not one.kept]
        return secrets[0], f"It refuses our credential: look at {', '.join(secrets)}."

    url = peer.server.base_url
    servers = (pair for one in settings.provider_settings.values() for pair in one.servers())
    variable = next((variable for variable, there in servers if there == url), None)
    return variable, f"Look at {variable}." if variable else ""
