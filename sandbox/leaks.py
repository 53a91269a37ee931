"""Headers that a provider must never be sent: who calls it through us would be exposed."""

from __future__ import annotations

from .wire import Head

PRIVATE = frozenset({"cookie", "cookie2", "forwarded", "proxy-authorization", "via", "x-real-ip"})
PRIVATE_PREFIX = "x-forwarded"


def complaint(head: Head, *credentials: str) -> str | None:
    """Say which header is not for a provider, or which of the credentials came more than once.

    An underscore counts as a hyphen, because some servers take one for the other.
    """
    names = [name.decode("latin-1").lower().replace("_", "-") for name, _ in head.headers]
    for name in names:
        if name in PRIVATE or name.startswith(PRIVATE_PREFIX):
            return f"{name} is not for a provider"

    for name in credentials:
        if names.count(name) > 1:
            return f"{name} given more than once"

    return None
