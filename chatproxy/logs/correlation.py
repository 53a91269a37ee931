"""Which request a line belongs to: its id, and those of its trace.

They are kept for the greenlet that serves it, so that every line that is written meanwhile has
them, whoever writes it.
"""

import re
import uuid
from collections.abc import Mapping
from contextvars import ContextVar

#: Short visible ASCII: a caller's id goes into lines, and back to the caller.
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")

_NONE: Mapping[str, str] = {}
_ids: ContextVar[Mapping[str, str]] = ContextVar("ids", default=_NONE)


def is_request_id(text: str) -> bool:
    """Say whether a text of somebody else's may be the id of a request."""
    return REQUEST_ID.fullmatch(text) is not None


def request_id(given: str = "") -> str:
    """Return the caller's id if it may be one, else a new one."""
    return given if is_request_id(given) else str(uuid.uuid4())


def begin(ids: Mapping[str, str]) -> None:
    """Give these fields to every line that this greenlet writes from now on."""
    _ids.set(ids)


def current() -> Mapping[str, str]:
    """Return the fields of the request that this greenlet serves, none beside one."""
    return _ids.get()


def end() -> None:
    """Say that the request is over."""
    _ids.set(_NONE)
