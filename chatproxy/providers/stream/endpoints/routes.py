"""Stream's routes and their guards. They are open to whoever reaches the sidecar's port."""

from collections.abc import Sequence

from chatproxy.providers.stream.endpoints import api_key, config, token, webhook
from chatproxy.services import Services
from chatproxy.web.routing import Route, anybody


def routes(_services: Services) -> Sequence[Route]:
    """Return every route with its guard."""
    return (
        Route("/token", token.blueprint, anybody),
        Route("/api-key", api_key.blueprint, anybody),
        Route("/config", config.blueprint, anybody),
        Route("/webhook", webhook.blueprint, anybody),
    )
