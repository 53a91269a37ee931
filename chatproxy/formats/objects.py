"""JSON objects as answers carry them."""

from collections.abc import Mapping
from typing import Any


def without_none(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value. False, 0 and an empty text are values."""
    return {name: value for name, value in document.items() if value is not None}
