"""Texts of strangers within a line for people: escaped, short, and coloured by us alone."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

#: A value that stands without quotes behind its `name=`.
BARE = re.compile(r"[^\s\"=,]+")

#: SGR codes (ECMA-48 section 8.3.117).
CODES = {
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "cyan": "36",
    "alarm": "1;31",
}

UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def plain(text: str) -> str:
    r"""Return a text on one line in which nothing is left that a terminal obeys.

    Control characters, ends of lines, marks that turn the direction of a text, and halves of
    surrogate pairs are written as Python writes them in a literal: `\x1b`, `\n`, `\u202e`.
    """
    if text.isprintable():
        return text

    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )


def pairs(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield `name=value` for each field."""
    for name, value in fields.items():
        yield f"{plain(name)}={_value(value)}"


def size(number: int) -> str:
    """Return a number of bytes in the unit in which it is short."""
    for unit, name in UNITS:
        if number >= unit:
            return f"{number / unit:.1f}{name}"

    return f"{number}B"


def duration(milliseconds: float) -> str:
    """Return a time in the unit in which it is short."""
    if milliseconds >= 1000:
        return f"{milliseconds / 1000:.1f}s"

    return f"{milliseconds:.0f}ms" if milliseconds >= 10 else f"{milliseconds:.1f}ms"


def paint(text: str, colour: str) -> str:
    """Return a text that a terminal shows in a colour."""
    return f"\x1b[{CODES[colour]}m{text}\x1b[0m"


def unpainted(text: str, _colour: str) -> str:
    """Return the text as it is."""
    return text


def _value(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(one, str) and _is_bare(one) for one in value):
        return ",".join(value)

    if isinstance(value, str) and _is_bare(value):
        return value

    return plain(json.dumps(value, ensure_ascii=False))


def _is_bare(text: str) -> bool:
    return BARE.fullmatch(text) is not None and text.isprintable()
