"""The class and the routes of each provider.

A new provider is a folder, a line here, and a line in `providers.SETTINGS`.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from chatproxy.providers.base import Provider
from chatproxy.providers.chatsdk.endpoints import routes as chatsdk
from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.providers.imbachat.endpoints import routes as imbachat
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.providers.imkit.endpoints import routes as imkit
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.performchat.endpoints import routes as performchat
from chatproxy.providers.performchat.provider import PerformChat
from chatproxy.providers.stream.endpoints import routes as stream
from chatproxy.providers.stream.provider import Stream
from chatproxy.services import Services
from chatproxy.settings import Settings
from chatproxy.web.route import Route


@dataclasses.dataclass(frozen=True)
class Registered:
    """A provider's class, which takes its settings, and its routes."""

    provider: Callable[[Any], Provider]
    routes: Callable[[Services], Sequence[Route]]


REGISTRY: Mapping[str, Registered] = {
    "stream": Registered(Stream, stream.routes),
    "chatsdk": Registered(ChatSDK, chatsdk.routes),
    "performchat": Registered(PerformChat, performchat.routes),
    "imkit": Registered(IMKit, imkit.routes),
    "imbachat": Registered(ImbaChat, imbachat.routes),
}


def make_providers(settings: Settings) -> list[Provider]:
    """Make each provider that is on from its settings."""
    return [
        REGISTRY[name].provider(section) for name, section in settings.provider_settings.items()
    ]
