"""Stream's own endpoints: what is reachable, and who may call it."""

from collections.abc import Sequence

from chatproxy.providers.stream.endpoints import api_key, config, token, webhook
from chatproxy.services import Services
from chatproxy.web.routing import Route, anybody


def routes(_services: Services) -> Sequence[Route]:
    """Return the table."""
    return (
        Route("/token", token.blueprint, anybody),
        Route("/api-key", api_key.blueprint, anybody),
        Route("/config", config.blueprint, anybody),
        Route("/webhook", webhook.blueprint, anybody),
    )
