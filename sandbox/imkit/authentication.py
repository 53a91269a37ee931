"""Who calls: the platform by its `IM-API-KEY` alone, a client by the app's key and its own token.

Whatever could be read in two ways is not read at all. `Authorization` is: the server has another
header for the token and ignores this one, however often it comes.
"""

from __future__ import annotations

from dataclasses import dataclass

from .. import leaks
from ..credentials import is_same
from ..wire import Head
from .envelope import Refusal
from .state import State

PLATFORM = "im-api-key"
CLIENT = ("im-client-key", "im-authorization")
NAMED = "im-client-id"
HEADERS = (PLATFORM, *CLIENT, NAMED, "im-device-id")
# Old callers are still about. A sidecar takes these from them and must not hand them on.
LEGACY = frozenset({"api-key", "client-key"})


@dataclass(frozen=True)
class Keys:
    """One app's keys: the platform's secret one and the public one of its clients."""

    api_key: str
    client_key: str


def complaint(head: Head) -> str | None:
    """Say what a sidecar would never send.

    An underscore counts as a hyphen, because some servers take one for the other.
    """
    wrong = leaks.complaint(head, *HEADERS)
    if wrong is not None:
        return wrong

    names = {name.decode("latin-1").lower().replace("_", "-") for name, _ in head.headers}
    for name in sorted(LEGACY & names):
        return f"{name} is a legacy header"

    if PLATFORM in names and names.intersection(CLIENT):
        return "credentials of the platform and of a client in one request"

    return None


def authenticate(head: Head, keys: Keys, state: State, now: float) -> str | None:
    """Return the client who calls, None where the platform does. Raises Refusal 401 or 403."""
    if head.values(PLATFORM):
        if not is_same(_value(head, PLATFORM), keys.api_key):
            raise Refusal("INVALID_API_KEY", "Invalid API key")

        return None

    key, token = (_value(head, name) for name in CLIENT)
    if not key and not token:
        raise Refusal("INVALID_API_KEY", "Missing credentials")

    if not is_same(key, keys.client_key):
        raise Refusal("INVALID_CLIENT_KEY", "Invalid client key")

    with state.lock:
        client_id = state.holder(token, now)

    if client_id is None:
        raise Refusal("INVALID_TOKEN", "Invalid or expired token")

    named = named_client(head)
    if named is not None and named != client_id:
        raise Refusal("INVALID_TOKEN", "IM-CLIENT-ID is not the token's client")

    return client_id


def named_client(head: Head) -> str | None:
    """Return the client in `IM-CLIENT-ID`, which is UTF-8; None where there is none."""
    if not head.values(NAMED):
        return None

    return _value(head, NAMED).encode("latin-1").decode("utf-8", "replace")


def _value(head: Head, name: str) -> str:
    return "".join(head.values(name))
