"""ChatSDK's routes and their guards."""

from collections.abc import Sequence

from chatproxy.providers.chatsdk.endpoints import api, auth, tokens, users, websocket
from chatproxy.providers.chatsdk.endpoints.access import (
    PlatformKey,
    PlatformKeyForUser,
    exchangeable_token,
    rest_token,
    websocket_token,
)
from chatproxy.providers.chatsdk.endpoints.schemas import (
    requested_connection,
    requested_user,
)
from chatproxy.services import Services
from chatproxy.web.route import Route, any_page, anybody

USERS = "/api/users"


def routes(_services: Services) -> Sequence[Route]:
    """Return every route with its guard."""
    return (
        Route("/tokens", tokens.issuing, PlatformKeyForUser(requested_user), "service"),
        Route("/tokens/refresh", tokens.exchange, exchangeable_token, "client"),
        Route(
            "/api/auth/connect",
            auth.connecting,
            PlatformKeyForUser(requested_connection),
            "service",
        ),
        Route("/api/auth/refresh", auth.renewal, auth.renewing_client, "client", any_page),
        Route("/tokens/validate", tokens.validation, rest_token, "client"),
        Route("/tokens/validate-ws", tokens.websocket_validation, websocket_token, "client"),
        Route(f"{USERS}/ensure", users.ensuring, PlatformKeyForUser(requested_user), "service"),
        Route(
            f"{USERS}/<anything:user_id>/revoke-tokens",
            users.revocation,
            PlatformKey(users.requested_revocation),
            "service",
        ),
        Route(
            f"{USERS}/<anything:user_id>",
            users.single,
            users.service_or_client,
            "service",
            for_services=users.is_for_services,
        ),
        Route("/api", api.preflight, anybody, "client", any_page),
        Route("/api", api.blueprint, api.client, "client", any_page),
        # Answers 501 and says where to connect.
        Route("/ws", websocket.blueprint, anybody, "client"),
    )
