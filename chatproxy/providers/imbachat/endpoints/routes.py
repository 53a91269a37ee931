"""ImbaChat's routes and their guards."""

from collections.abc import Sequence

from chatproxy.providers.imbachat.endpoints import users, version, widget, wordpress
from chatproxy.providers.imbachat.endpoints.access import only_imbachat
from chatproxy.services import Services
from chatproxy.web.route import Route, anybody


def routes(_services: Services) -> Sequence[Route]:
    """Return every route with its guard."""
    return (
        # imbachat.com comes from outside, with a credential of its own.
        Route("/imbachat", users.blueprint, only_imbachat, "client"),
        Route("/imbachat/v1", wordpress.blueprint, only_imbachat, "client"),
        Route("/imbachat/api/v1", version.blueprint, anybody, "client"),
        # Open to whoever reaches the port, like Stream's `/token`.
        Route("/imbachat", widget.blueprint, anybody, "service"),
    )
