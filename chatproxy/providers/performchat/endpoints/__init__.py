"""PerformChat's surface: what is reachable, and who may call it."""

from collections.abc import Sequence

from chatproxy.providers.performchat.endpoints import agents, customers, tokens
from chatproxy.providers.performchat.endpoints.access import PlatformKey
from chatproxy.providers.performchat.endpoints.paging import requested_page
from chatproxy.services import Services
from chatproxy.web.routing import Route, anybody

AUTH = "/rest/v1/auth"
AGENTS = "/rest/v1/agents"
USERS = "/rest/v1/customer-users"


def routes(_services: Services) -> Sequence[Route]:
    """Return the table."""
    return (
        Route(f"{AUTH}/token", tokens.issuing, PlatformKey(tokens.requested_token)),
        Route(
            f"{AUTH}/invalidate-token",
            tokens.invalidation,
            PlatformKey(tokens.requested_invalidation),
        ),
        Route(f"{AUTH}/verify", tokens.verification, anybody),  # who shows a token asks about it
        Route(AGENTS, agents.listing, PlatformKey(requested_page)),
        Route(f"{AGENTS}/<agent_id>", agents.single, PlatformKey()),
        Route(USERS, customers.listing, PlatformKey(customers.requested_users)),
        Route(f"{USERS}/<user_id>", customers.single, PlatformKey(customers.requested_change)),
    )
