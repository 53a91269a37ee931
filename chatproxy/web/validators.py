"""Validators of texts and objects that will be stored, for the schemas of every surface.

A failure is a `Fault`: a kind, for which a provider may have a code of its own, and a message.
Both are fixed, so that no input is repeated in an error.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

from marshmallow import ValidationError, validate

from chatproxy.errors import FaultKind
from chatproxy.formats.storable import is_storable
from chatproxy.identity.records import LARGEST_CUSTOM


@dataclasses.dataclass(frozen=True)
class Fault:
    """What is wrong with a value."""

    kind: FaultKind
    message: str


REQUIRED = Fault("required", "Required")
NO_TEXT = Fault("type", "Expected string")
NO_OBJECT = Fault("type", "Expected object")
TOO_SHORT = Fault("too short", "Too short")
TOO_LONG = Fault("too long", "Too long")
BAD_URL = Fault("url", "Invalid url")
BAD_EMAIL = Fault("email", "Invalid email")
BAD_CHARACTERS = Fault("characters", "Invalid characters")

#: For fields of texts and for schemas, in marshmallow's form.
TEXT_MESSAGES: dict[str, Any] = {
    "required": [REQUIRED],
    "invalid": [NO_TEXT],
    "null": [NO_TEXT],
}
OBJECT_MESSAGES: dict[str, Any] = {"type": NO_OBJECT}

#: Schemes that are refused for a picture: none, and those whose text a browser would run as script.
NO_PICTURE = ("", "javascript", "vbscript")

_is_email = validate.Email()


def not_empty(text: str) -> None:
    """Refuse an empty text."""
    if not text:
        _refuse(TOO_SHORT)


@dataclasses.dataclass(frozen=True)
class InOrder:
    """One validator of several, which stops at the first that refuses."""

    checks: tuple[Callable[[str], object], ...]

    def __call__(self, text: str) -> None:
        """Refuse what one of them refuses."""
        for one in self.checks:
            one(text)


def in_order(*checks: Callable[[str], object]) -> InOrder:
    """Make one validator of several.

    marshmallow runs all of a list. Whatever takes long for a long text, such as a regular
    expression, has to come after the limit on its length.
    """
    return InOrder(checks)


@dataclasses.dataclass(frozen=True)
class AtMost:
    """Refuses more than `most` characters."""

    most: int

    def __call__(self, text: str) -> None:
        """Refuse a longer text."""
        if len(text) > self.most:
            _refuse(TOO_LONG)


def at_most(most: int) -> AtMost:
    """Make a validator that refuses more than `most` characters."""
    return AtMost(most)


def email(text: str) -> None:
    """Refuse what is not an email address."""
    try:
        _is_email(text)
    except ValidationError:
        _refuse(BAD_EMAIL)


def picture_url(text: str) -> None:
    """Refuse what cannot be the URL of a picture."""
    try:
        scheme, host = urlsplit(text).scheme, urlsplit(text).hostname
    except ValueError:
        scheme, host = "", None

    web_without_host = scheme in ("http", "https") and not host

    if scheme in NO_PICTURE or web_without_host or any(one.isspace() for one in text):
        _refuse(BAD_URL)


def storable(text: str) -> None:
    """Refuse what a database cannot store: NUL, and half of a surrogate pair."""
    if not is_storable(text):
        _refuse(BAD_CHARACTERS)


def storable_object(value: Any) -> None:
    """Refuse what is not a JSON object, cannot be stored, or is too large for metadata."""
    if not isinstance(value, dict):
        _refuse(NO_OBJECT)

    text = json.dumps(value, ensure_ascii=False)
    at_most(LARGEST_CUSTOM)(text)
    storable(text)

    if len(text.encode()) > LARGEST_CUSTOM:
        _refuse(TOO_LONG)


def _refuse(fault: Fault) -> NoReturn:
    raise ValidationError([fault])
