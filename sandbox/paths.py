"""Path templates: `{name}` takes one segment."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote


def match(parts: Sequence[str], segments: Sequence[str]) -> dict[str, str] | None:
    """Return the decoded values of a path that fits, both in segments; None where it does not."""
    if len(parts) != len(segments):
        return None

    values = {}
    for part, segment in zip(parts, segments, strict=True):
        if part.startswith("{") and segment:
            values[part[1:-1]] = unquote(segment)
        elif part != segment:
            return None

    return values
