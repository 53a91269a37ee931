"""IMKit's routes and their guards."""

from collections.abc import Sequence

from chatproxy.providers.imkit.endpoints import (
    access,
    badge,
    clients,
    forwarded,
    me,
    socket,
    verify,
)
from chatproxy.services import Services
from chatproxy.web.route import Route, any_page, anybody


def routes(services: Services) -> Sequence[Route]:
    """Return every route with its guard."""
    return (
        Route("/imkit/admin/clients", clients.blueprint, access.platform, "service"),
        # A platform may call what clients call, where they share a door.
        Route(
            "/imkit/me",
            me.blueprint,
            access.acting_user,
            "client",
            any_page,
            for_services=access.is_for_platforms,
        ),
        Route("/imkit/me", me.blueprint, access.acting_user, "service"),
        Route(
            "/imkit/me/badge",
            me.unread,
            me.badge_caller,
            "client",
            any_page,
            for_services=access.is_for_platforms,
        ),
        Route("/imkit/me/badge", me.unread, me.badge_caller, "service"),
        # The token is the credential.
        Route("/imkit/verify", verify.blueprint, anybody, "client"),
        # Open, as in the vendor's sample.
        Route("/imkit/badge", badge.blueprint, anybody, "service"),
        # Its `auth` event checks the caller, and its handshake the page.
        Route("/imkit/socket.io", socket.blueprint(services), anybody, "client", any_page),
        Route("/imkit", forwarded.preflight, anybody, "client", any_page),
        Route(
            "/imkit",
            forwarded.blueprint,
            access.forwarded_caller,
            "client",
            forwarded.is_for_pages,
            forwards=True,
            for_services=access.is_for_platforms,
        ),
        Route("/imkit", forwarded.blueprint, access.forwarded_caller, "service", forwards=True),
    )
