"""What changes clients and tokens for the current request."""

from chatproxy.providers.imkit.changes import Changes
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.web.current import provider, services


def changes() -> Changes:
    """Return it, with the way to the server as it is now."""
    return provider(IMKit).changes(services().reach())


def has_server() -> bool:
    """Say whether there is an IMKit server."""
    return services().backends[IMKit.name].peer is not None
