"""Stream's routes and their guards.

They are open to whoever reaches the service's port, and at no other: `/token` needs no credential,
and `/config` believes a header that only a gateway may set.
"""

from collections.abc import Sequence

from chatproxy.providers.stream.endpoints import api_key, config, token, users, webhook
from chatproxy.services import Services
from chatproxy.web.route import Route, anybody


def routes(_services: Services) -> Sequence[Route]:
    """Return every route with its guard."""
    return (
        Route("/token", token.blueprint, anybody, "service"),
        Route("/users/<anything:user_id>/revoke-tokens", users.revocation, anybody, "service"),
        Route("/guest", users.guests, anybody, "service"),
        Route("/api-key", api_key.blueprint, anybody, "service"),
        Route("/config", config.blueprint, anybody, "service"),
        Route("/webhook", webhook.blueprint, anybody, "service"),
    )
