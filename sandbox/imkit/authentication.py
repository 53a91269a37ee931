"""Who calls: the platform by its `IM-API-KEY` alone, a client by the app's key and its own token.

A header that came twice is read as one text, which is neither key nor token.
"""

from typing import NamedTuple

from ..credentials import is_same
from ..wire import Head
from .errors import IMKitError
from .state import State

PLATFORM = "im-api-key"
CLIENT = ("im-client-key", "im-authorization")
NAMED = "im-client-id"


class Keys(NamedTuple):
    """One app's keys: the platform's secret one and the public one of its clients."""

    api_key: str
    client_key: str


def authenticate(head: Head, keys: Keys, state: State, now: float) -> str | None:
    """Return the client who calls, None where the platform does. Raises IMKitError 401 or 403."""
    if head.values(PLATFORM):
        if not is_same(_value(head, PLATFORM), keys.api_key):
            raise IMKitError("INVALID_API_KEY", "Invalid API key")

        return None

    key, token = (_value(head, name) for name in CLIENT)
    if not key and not token:
        raise IMKitError("INVALID_API_KEY", "Missing credentials")

    if not is_same(key, keys.client_key):
        raise IMKitError("INVALID_CLIENT_KEY", "Invalid client key")

    with state.lock:
        client_id = state.holder(token, now)

    if client_id is None:
        raise IMKitError("INVALID_TOKEN", "Invalid or expired token")

    if named_client(head) not in (None, client_id):
        raise IMKitError("INVALID_TOKEN", "IM-CLIENT-ID is not the token's client")

    return client_id


def named_client(head: Head) -> str | None:
    """Return the client in `IM-CLIENT-ID`, which is UTF-8; None where there is none."""
    if not head.values(NAMED):
        return None

    return _value(head, NAMED).encode("latin-1").decode("utf-8", "replace")


def _value(head: Head, name: str) -> str:
    return "".join(head.values(name))
