"""Checks of JSON bodies, with the codes and the words of the validator that the vendor uses.

Unknown fields are ignored. An optional field may be absent, but not null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What a browser's parser takes: with a host for the schemes it knows, anything else for others.
URL = re.compile(
    r"(https?|wss?|ftp)://[^\s/?#]+([/?#].*)?|(?!(https?|wss?|ftp):)[a-z][\w+.-]*:.*", re.S
)
EMAIL = re.compile(r"[\w+'-]+(\.[\w+'-]+)*@([a-z0-9][a-z0-9-]*\.)+[a-z]{2,}", re.ASCII)
KINDS = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}

Problem = tuple[str, str]
Check = Callable[[Any], Problem | None]


@dataclass(frozen=True)
class Issue:
    """One thing that is wrong with a body."""

    code: str
    path: list[str]
    message: str


@dataclass(frozen=True)
class Field:
    """A field of a body and what it must be."""

    name: str
    check: Check
    required: bool = False


def issues(document: Any, fields: Sequence[Field]) -> list[Issue]:
    """Return all that is wrong, in the order of the fields."""
    if not isinstance(document, dict):
        return [Issue("invalid_type", [], f"Expected object, received {_kind(document)}")]

    found = ((field.name, _look(field, document)) for field in fields)
    return [Issue(problem[0], [name], problem[1]) for name, problem in found if problem]


def text(least: int = 0, most: int | None = None) -> Check:
    """Return the check for a string of so many characters."""

    def check(value: Any) -> Problem | None:
        if not isinstance(value, str):
            return _wrong_type("string", value)

        if len(value) < least:
            return "too_small", f"String must contain at least {least} character(s)"

        if most is not None and len(value) > most:
            return "too_big", f"String must contain at most {most} character(s)"

        return None

    return check


def url(value: Any) -> Problem | None:
    """Check for a URL; an empty string is none."""
    if not isinstance(value, str):
        return _wrong_type("string", value)

    return None if URL.fullmatch(value.strip().lower()) else ("invalid_string", "Invalid url")


def email(value: Any) -> Problem | None:
    """Check for a mail address."""
    if not isinstance(value, str):
        return _wrong_type("string", value)

    return None if EMAIL.fullmatch(value.lower()) else ("invalid_string", "Invalid email")


def mapping(value: Any) -> Problem | None:
    """Check for an object."""
    return None if isinstance(value, dict) else _wrong_type("object", value)


def texts(value: Any) -> Problem | None:
    """Check for an array of strings."""
    if not isinstance(value, list):
        return _wrong_type("array", value)

    wrong = [item for item in value if not isinstance(item, str)]
    return _wrong_type("string", wrong[0]) if wrong else None


def one_of(*allowed: str) -> Check:
    """Return the check for one of a few strings."""

    def check(value: Any) -> Problem | None:
        if isinstance(value, str) and value in allowed:
            return None

        expected = " | ".join(f"'{name}'" for name in allowed)
        return "invalid_enum_value", f"Invalid enum value. Expected {expected}"

    return check


def _look(field: Field, document: Mapping[str, Any]) -> Problem | None:
    if field.name in document:
        return field.check(document[field.name])

    return ("invalid_type", "Required") if field.required else None


def _wrong_type(expected: str, value: Any) -> Problem:
    return "invalid_type", f"Expected {expected}, received {_kind(value)}"


def _kind(value: Any) -> str:
    return "null" if value is None else KINDS.get(type(value), "object")
