"""Checks on what a database has to hold, for the schemas of every surface."""

import json
from typing import Any

from marshmallow import ValidationError

from chatproxy.identity.user import LARGEST_CUSTOM


def storable(text: str) -> None:
    """Refuse what a database cannot hold: NUL, and half of a surrogate pair."""
    if "\0" in text or any("\ud800" <= one <= "\udfff" for one in text):
        raise ValidationError("Invalid characters")


def storable_object(value: Any) -> None:
    """Refuse what is no JSON object, holds such a text, or is too large for metadata."""
    if not isinstance(value, dict):
        raise ValidationError("Expected object")

    text = json.dumps(value, ensure_ascii=False)
    storable(text)

    if len(text.encode()) > LARGEST_CUSTOM:
        raise ValidationError("Too long")
