"""Which request a line belongs to: its id, and those of its trace.

They are kept for the greenlet that serves it, so that every line that is written meanwhile has
them, whoever writes it.
"""

import os
import re
from collections.abc import Mapping
from contextvars import ContextVar

#: Short visible ASCII: a caller's id goes into lines, and back to the caller.
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")

#: The digits that stand for the variant of such UUIDs (RFC 9562 section 4.1).
VARIANTS = "89ab"

_NONE: Mapping[str, str] = {}
_ids: ContextVar[Mapping[str, str]] = ContextVar("ids", default=_NONE)


def is_request_id(text: str) -> bool:
    """Say whether a text of somebody else's may be the id of a request."""
    return REQUEST_ID.fullmatch(text) is not None


def request_id(given: str = "") -> str:
    """Return the caller's id if it may be one, else a new one."""
    if given and is_request_id(given):
        return given

    # A random UUID (RFC 9562 section 5.4). `uuid.uuid4` takes three times as long, and anything
    # that is seeded once would go on alike in processes that are forked later.
    one = os.urandom(16).hex()
    variant = VARIANTS[int(one[16], 16) % 4]
    return f"{one[:8]}-{one[8:12]}-4{one[13:16]}-{variant}{one[17:20]}-{one[20:]}"


def begin(ids: Mapping[str, str]) -> None:
    """Give these fields to every line that this greenlet writes from now on."""
    _ids.set(ids)


def current() -> Mapping[str, str]:
    """Return the fields of the request that this greenlet serves, none beside one."""
    return _ids.get()


def end() -> None:
    """Say that the request is over."""
    _ids.set(_NONE)
