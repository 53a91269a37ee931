"""Checks of JSON bodies. Unknown fields are ignored; an optional one may be absent, but not null."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from .errors import IMKitError
from .state import Document

ID_MOST = 255
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)", re.ASCII)
# A header carries the token as it is: one with a space in it could never be told from a scheme.
TOKEN = re.compile(r"[!-~]+")


class Kind(NamedTuple):
    """What a field may be: what it is called, and whether a value is one."""

    name: str
    accepts: Callable[[Any], bool]


class Field(NamedTuple):
    """A field of a body and what it must be."""

    name: str
    kind: Kind
    required: bool = False


TEXT = Kind("a string", lambda value: isinstance(value, str))
FLAG = Kind("a boolean", lambda value: isinstance(value, bool))
ARRAY = Kind("an array", lambda value: isinstance(value, list))
TEXTS = Kind(
    "an array of strings",
    lambda value: isinstance(value, list) and all(isinstance(item, str) for item in value),
)
IDENTIFIER = Kind(
    f"a string of 1 to {ID_MOST} characters",
    lambda value: isinstance(value, str) and 1 <= len(value) <= ID_MOST,
)
VISIBLE = Kind(
    "a string of visible ASCII characters",
    lambda value: isinstance(value, str) and TOKEN.fullmatch(value) is not None,
)
ROOM_TYPE = Kind("direct or group", lambda value: value in ("direct", "group"))


def checked(document: Any, fields: Sequence[Field]) -> Document:
    """Return the known fields, if all is right with them. Raises IMKitError 400."""
    if not isinstance(document, dict):
        raise IMKitError("INVALID_BODY", "the body must be an object")

    for field in fields:
        if field.name not in document:
            if field.required:
                raise IMKitError("MISSING_PARAMETER", f"{field.name} is required")
        elif not field.kind.accepts(document[field.name]):
            raise IMKitError("INVALID_BODY", f"{field.name} must be {field.kind.name}")

    return {field.name: document[field.name] for field in fields if field.name in document}


def epoch_of(value: str) -> float | None:
    """Return a moment in epoch seconds; None where it is no date and time with a zone."""
    if not DATE.fullmatch(value):
        return None

    try:
        return datetime.fromisoformat(value).timestamp()
    except ValueError:
        return None
