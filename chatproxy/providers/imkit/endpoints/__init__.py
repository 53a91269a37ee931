"""IMKit's surface: what is reachable, and who may call it."""

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
from chatproxy.web.routing import Route, anybody


def routes(services: Services) -> Sequence[Route]:
    """Return the table."""
    return (
        Route("/imkit/admin/clients", clients.blueprint, access.platform),
        Route("/imkit/me", me.blueprint, access.acting_user),
        Route("/imkit/me/badge", me.unread, me.who_asks_for_badge),
        Route("/imkit/verify", verify.blueprint, anybody),  # who shows a token asks about it
        Route("/imkit/badge", badge.blueprint, anybody),  # as open as the vendor's own sample
        Route("/imkit/socket.io", socket.blueprint(services), anybody),  # asks for a token itself
        Route("/imkit", forwarded.preflight, anybody),
        Route("/imkit", forwarded.blueprint, access.forwarded_caller),
    )
