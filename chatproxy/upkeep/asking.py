"""Calls about permissions to a provider, by the way that its other calls take."""

import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from chatproxy.forwarding.outbound import Answered
from chatproxy.providers.base import KeepsPermissions
from chatproxy.providers.permissions import Ask, Reply, Request
from chatproxy.services import Backend

#: Bytes of an answer. Fifty channel types with all their grants are some hundred thousand.
LARGEST_ANSWER = 8 * 1024 * 1024

#: Digits of the number of seconds that an answer names.
MOST_DIGITS = 12


def asker(backend: Backend, now: Callable[[], float]) -> Ask:
    """Return what makes calls about permissions to a provider. They raise `UpstreamError`."""
    provider, peer = backend.provider, backend.peer
    assert isinstance(provider, KeepsPermissions)  # noqa: S101 - it is asked for only then

    if peer is None:
        raise backend.not_configured()

    def ask(request: Request) -> Reply:
        found = peer.ask_fully(provider.permissions_call(request), LARGEST_ANSWER)
        backend.credential.saw(found.status, backend.provider.verdict(found.status, None))
        return Reply(found.status, _object_in(found.content), _asked_wait(found, now()))

    return ask


def _object_in(content: bytes) -> Mapping[str, Any] | None:
    with contextlib.suppress(ValueError, RecursionError):
        found = json.loads(content)
        return found if isinstance(found, dict) else None

    return None


def _asked_wait(answered: Answered, now: float) -> float | None:
    """Return for how many seconds an answer asks to be left alone, None where it does not."""
    # `Retry-After` may also be a date (RFC 9110 section 10.2.3), which no provider here sends.
    waits = [_number(answered.field("Retry-After"))]

    # In epoch seconds, and on answers of any status: it is a wait only where the limit is used up.
    if answered.status == 429 and (end := _number(answered.field("X-RateLimit-Reset"))):
        waits.append(end - now)

    return max((one for one in waits if one is not None and one > 0), default=None)


def _number(text: str | None) -> float | None:
    # A proxy in between may have doubled it: `300, 300`.
    first = (text or "").partition(",")[0].strip()
    is_number = first.isascii() and first.isdigit() and len(first) < MOST_DIGITS
    return float(first) if is_number else None
