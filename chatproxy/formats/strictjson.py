"""Strict JSON: what two parsers could read differently is refused."""

import json
import math
import re
from typing import Any

#: Levels of nesting. Whoever writes or walks the value later recurses as deep.
DEEPEST = 64

#: Objects and lists, and commas between values. A megabyte of `[],[],…` takes seconds to parse.
MOST_CONTAINERS = 10_000
MOST_COMMAS = 50_000

#: A text, or the rest of the content where its end is missing: each byte is looked at once.
TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)

TOO_DEEP = f"nested more than {DEEPEST} levels deep"


class LimitError(ValueError):
    """The content is beyond one of the limits. The text says which."""


def read(content: bytes) -> Any:
    """Parse UTF-8 JSON; raise `ValueError`, `LimitError` among them.

    Also refused are a name that is twice in one object (RFC 8259 section 4), NaN and infinities,
    numbers that overflow a float (section 6), and values that are very deep or very many.
    """
    containers, commas = _counts(content)

    if containers > MOST_CONTAINERS:
        raise LimitError(f"more than {MOST_CONTAINERS} objects and lists")

    if commas > MOST_COMMAS:
        raise LimitError(f"more than {MOST_COMMAS} commas between values")

    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_each_name_once,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except RecursionError as error:
        raise LimitError(TOO_DEEP) from error

    if containers > DEEPEST and not _is_shallow(value):
        raise LimitError(TOO_DEEP)

    return value


def _counts(content: bytes) -> tuple[int, int]:
    containers, commas = _marks(content)

    # A chat message may hold any number of brackets. Its texts are left out only here, since most
    # documents are small enough with them.
    if containers > MOST_CONTAINERS or commas > MOST_COMMAS:
        return _marks(TEXT.sub(b"", content))

    return containers, commas


def _marks(content: bytes) -> tuple[int, int]:
    return content.count(b"[") + content.count(b"{"), content.count(b",")


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)

    if len(document) != len(pairs):
        raise ValueError("a name is there twice")

    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _finite(text: str) -> float:
    number = float(text)

    if not math.isfinite(number):
        raise ValueError("a number is too large")

    return number


def _is_shallow(value: Any) -> bool:
    # Level by level: a recursive check would meet the limit that it is to keep others from.
    level = [value]

    for _ in range(DEEPEST + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]

        if not level:
            return True

    return False
