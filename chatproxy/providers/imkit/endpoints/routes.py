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
from chatproxy.web.routing import Route, any_page, anybody


def routes(services: Services) -> Sequence[Route]:
    """Return every route with its guard."""
    return (
        Route("/imkit/admin/clients", clients.blueprint, access.platform),
        Route("/imkit/me", me.blueprint, access.acting_user, any_page),
        Route("/imkit/me/badge", me.unread, me.badge_caller, any_page),
        Route("/imkit/verify", verify.blueprint, anybody),  # the token is the credential
        Route("/imkit/badge", badge.blueprint, anybody),  # as in the vendor's sample
        # Its `auth` event checks the caller, and its handshake the page.
        Route("/imkit/socket.io", socket.blueprint(services), anybody, any_page),
        Route("/imkit", forwarded.preflight, anybody, any_page),
        Route("/imkit", forwarded.blueprint, access.forwarded_caller, forwarded.is_for_pages),
    )
