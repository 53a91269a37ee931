"""PerformChat's routes and their guards."""

from collections.abc import Sequence

from chatproxy.providers.performchat.endpoints import agents, customers, schemas, tokens
from chatproxy.providers.performchat.endpoints.access import PlatformKey
from chatproxy.providers.performchat.endpoints.paging import requested_page
from chatproxy.services import Services
from chatproxy.web.route import Route, anybody

AUTH = "/rest/v1/auth"
AGENTS = "/rest/v1/agents"
USERS = "/rest/v1/customer-users"


def routes(_services: Services) -> Sequence[Route]:
    """Return every route with its guard."""
    return (
        Route(f"{AUTH}/token", tokens.issuing, PlatformKey(schemas.requested_token), "service"),
        Route(
            f"{AUTH}/invalidate-token",
            tokens.invalidation,
            PlatformKey(schemas.requested_invalidation),
            "service",
        ),
        # The token is the credential.
        Route(f"{AUTH}/verify", tokens.verification, anybody, "client"),
        Route(AGENTS, agents.listing, PlatformKey(page=requested_page), "service"),
        Route(f"{AGENTS}/<agent_id>", agents.single, PlatformKey(), "service"),
        Route(
            USERS,
            customers.listing,
            PlatformKey(schemas.requested_users, page=requested_page),
            "service",
        ),
        Route(
            f"{USERS}/<user_id>",
            customers.single,
            PlatformKey(schemas.requested_change),
            "service",
        ),
    )
