"""The class and the routes of each provider.

A new provider is a folder, a function and a line here, and a line in `providers.SETTINGS`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chatproxy.providers.base import Provider
from chatproxy.services import Services
from chatproxy.settings import Settings
from chatproxy.web.route import Route


@dataclasses.dataclass(frozen=True)
class Registered:
    """A provider's class, which takes its settings, and its routes."""

    provider: Callable[[Any], Provider]
    routes: Callable[[Services], Sequence[Route]]


# Imported when they are asked for: of five providers most sidecars have one or two on.


def _stream() -> Registered:
    from chatproxy.providers.stream.endpoints.routes import routes
    from chatproxy.providers.stream.provider import Stream

    return Registered(Stream, routes)


def _chatsdk() -> Registered:
    from chatproxy.providers.chatsdk.endpoints.routes import routes
    from chatproxy.providers.chatsdk.provider import ChatSDK

    return Registered(ChatSDK, routes)


def _performchat() -> Registered:
    from chatproxy.providers.performchat.endpoints.routes import routes
    from chatproxy.providers.performchat.provider import PerformChat

    return Registered(PerformChat, routes)


def _imkit() -> Registered:
    from chatproxy.providers.imkit.endpoints.routes import routes
    from chatproxy.providers.imkit.provider import IMKit

    return Registered(IMKit, routes)


def _imbachat() -> Registered:
    from chatproxy.providers.imbachat.endpoints.routes import routes
    from chatproxy.providers.imbachat.provider import ImbaChat

    return Registered(ImbaChat, routes)


REGISTRY: Mapping[str, Callable[[], Registered]] = {
    "stream": _stream,
    "chatsdk": _chatsdk,
    "performchat": _performchat,
    "imkit": _imkit,
    "imbachat": _imbachat,
}


def make_providers(settings: Settings) -> list[Provider]:
    """Make each provider that is on from its settings."""
    return [
        REGISTRY[name]().provider(section) for name, section in settings.provider_settings.items()
    ]
