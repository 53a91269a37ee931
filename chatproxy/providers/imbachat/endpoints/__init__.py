"""ImbaChat's surface: what is reachable, and who may call it."""

from collections.abc import Sequence

from chatproxy.providers.imbachat.endpoints import users, version, widget
from chatproxy.providers.imbachat.endpoints.access import only_imbachat
from chatproxy.services import Services
from chatproxy.web.routing import Route, anybody


def routes(_services: Services) -> Sequence[Route]:
    """Return the table."""
    return (
        Route("/imbachat", users.blueprint, only_imbachat),
        Route("/imbachat/api/v1", version.blueprint, anybody),
        Route("/imbachat", widget.blueprint, anybody),
    )
