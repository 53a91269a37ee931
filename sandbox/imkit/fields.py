"""Checks of JSON bodies. Unknown fields are ignored; an optional one may be absent, but not null.

A `Check` returns what a value must be, or None where it is that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .envelope import Refusal
from .state import Document

Check = Callable[[Any], str | None]

ID_MOST = 255
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
# A header carries the token as it is: one with a space in it could never be told from a scheme.
TOKEN = re.compile(r"[!-~]+")
# The year 10000: moments from there on could not be written down.
UNWRITABLE = 253_402_300_800


@dataclass(frozen=True)
class Field:
    """A field of a body and what it must be."""

    name: str
    check: Check
    required: bool = False


def checked(document: Any, fields: Sequence[Field]) -> Document:
    """Return the known fields, if all is right with them. Raises Refusal 400."""
    if not isinstance(document, dict):
        raise Refusal("INVALID_BODY", "the body must be an object")

    for field in fields:
        if field.name in document:
            _look(field, document[field.name])
        elif field.required:
            raise Refusal("MISSING_PARAMETER", f"{field.name} is required")

    return {field.name: document[field.name] for field in fields if field.name in document}


def text(value: Any) -> str | None:
    """Check for a string."""
    return None if isinstance(value, str) else "a string"


def identifier(value: Any) -> str | None:
    """Check for an id."""
    is_one = isinstance(value, str) and 1 <= len(value) <= ID_MOST
    return None if is_one else f"a string of 1 to {ID_MOST} characters"


def token(value: Any) -> str | None:
    """Check for a token that can be sent later."""
    is_one = isinstance(value, str) and TOKEN.fullmatch(value)
    return None if is_one else "a string of visible ASCII characters"


def flag(value: Any) -> str | None:
    """Check for true or false."""
    return None if isinstance(value, bool) else "a boolean"


def texts(value: Any) -> str | None:
    """Check for an array of strings."""
    is_one = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return None if is_one else "an array of strings"


def array(value: Any) -> str | None:
    """Check for an array."""
    return None if isinstance(value, list) else "an array"


def one_of(*allowed: str) -> Check:
    """Return the check for one of a few strings."""

    def check(value: Any) -> str | None:
        return None if value in allowed else f"one of {', '.join(allowed)}"

    return check


def epoch_of(value: str) -> float | None:
    """Return a moment in epoch seconds; None where it is no date and time with a zone."""
    if not DATE.fullmatch(value):
        return None

    try:
        seconds = datetime.fromisoformat(value).timestamp()
    except ValueError:
        return None

    return seconds if seconds < UNWRITABLE else None


def _look(field: Field, value: Any) -> None:
    wanted = field.check(value)
    if wanted is not None:
        raise Refusal("INVALID_BODY", f"{field.name} must be {wanted}")
