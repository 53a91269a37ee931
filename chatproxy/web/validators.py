"""Checks on texts and objects that are to be kept, for the schemas of every surface.

What each finds is a `Fault`: a kind, for which a provider may have a code of its own,
and a message. Both are fixed, so that no input comes back in an error.
"""

import dataclasses
import json
from collections.abc import Callable
from typing import Any, NoReturn
from urllib.parse import urlsplit

from marshmallow import ValidationError, validate

from chatproxy.errors import FaultKind
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

#: Schemes of no picture: none, and those by which a page would run what stands behind them.
NO_PICTURE = ("", "javascript", "vbscript")

_is_email = validate.Email()


def not_empty(text: str) -> None:
    """Refuse a text without a character."""
    if not text:
        _refuse(TOO_SHORT)


def at_most(most: int) -> Callable[[str], None]:
    """Make a check that refuses more than so many characters."""

    def check(text: str) -> None:
        if len(text) > most:
            _refuse(TOO_LONG)

    return check


def email(text: str) -> None:
    """Refuse what is no address of a mailbox."""
    try:
        _is_email(text)
    except ValidationError:
        _refuse(BAD_EMAIL)


def picture_url(text: str) -> None:
    """Refuse what is no address of a picture."""
    try:
        scheme, host = urlsplit(text).scheme, urlsplit(text).hostname
    except ValueError:
        scheme, host = "", None

    web_without_host = scheme in ("http", "https") and not host

    if scheme in NO_PICTURE or web_without_host or any(one.isspace() for one in text):
        _refuse(BAD_URL)


def storable(text: str) -> None:
    """Refuse what a database cannot hold: NUL, and half of a surrogate pair."""
    if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
        _refuse(BAD_CHARACTERS)


def storable_object(value: Any) -> None:
    """Refuse what is no JSON object, holds such a text, or is too large for metadata."""
    if not isinstance(value, dict):
        _refuse(NO_OBJECT)

    text = json.dumps(value, ensure_ascii=False)
    storable(text)

    if len(text.encode()) > LARGEST_CUSTOM:
        _refuse(TOO_LONG)


def _refuse(fault: Fault) -> NoReturn:
    raise ValidationError([fault])
