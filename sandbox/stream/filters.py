"""The filter language of queries: `{"field": value}`, `{"field": {"$in": […]}}`, `$and`, `$or`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .errors import INPUT, StreamError
from .rendering import read_time
from .state import Document


def matches(document: Document, conditions: Document) -> bool:
    """Whether a flat document meets all conditions. Raises StreamError 4 for unknown operators."""
    return all(_meets(document, key, wanted) for key, wanted in conditions.items())


def arrange(found: list[Document], sort: object, limit: int, offset: int) -> list[Document]:
    """Order by `[{"field", "direction"}]`, most important first, then cut a page out."""
    for order in reversed(sort if isinstance(sort, list) else []):
        field = order.get("field", "created_at")
        found.sort(key=lambda item: _sortable(item.get(field)), reverse=order["direction"] == -1)

    return found[offset : offset + limit]


def _sortable(value: object) -> tuple[bool, str]:
    return value is not None, value.isoformat() if isinstance(value, datetime) else str(value)


def _meets(document: Document, key: str, wanted: Any) -> bool:
    if key in COMBINERS:
        return COMBINERS[key](matches(document, part) for part in wanted)

    actual = document.get(key)
    if not isinstance(wanted, dict):
        return _equal(actual, wanted)

    for operator, operand in wanted.items():
        if operator not in OPERATORS:
            raise StreamError(INPUT, f"operator {operator} is not supported", {key: "bad filter"})

        if not OPERATORS[operator](actual, operand):
            return False

    return True


def _equal(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, list) and not isinstance(wanted, list):
        return wanted in actual

    return bool(_comparable(actual, wanted) == wanted or actual == wanted)


def _in(actual: Any, wanted: Any) -> bool:
    return any(_equal(actual, item) for item in wanted)


def _comparable(actual: Any, wanted: Any) -> Any:
    """Turn a time into text, since the filter holds it as text."""
    return actual.isoformat() if isinstance(actual, datetime) else actual


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def test(actual: Any, wanted: Any) -> bool:
        if isinstance(actual, datetime):
            wanted = read_time(wanted, "filter")

        try:
            return actual is not None and compare(actual, wanted)
        except TypeError:
            return False

    return test


def _like(actual: Any, wanted: Any) -> bool:
    return isinstance(actual, str) and str(wanted).lower() in actual.lower()


COMBINERS: dict[str, Callable[[Any], bool]] = {
    "$and": all,
    "$or": any,
    "$nor": lambda parts: not any(parts),
}
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equal,
    "$ne": lambda actual, wanted: not _equal(actual, wanted),
    "$in": _in,
    "$nin": lambda actual, wanted: not _in(actual, wanted),
    "$gt": _ordered(lambda a, b: a > b),
    "$gte": _ordered(lambda a, b: a >= b),
    "$lt": _ordered(lambda a, b: a < b),
    "$lte": _ordered(lambda a, b: a <= b),
    "$exists": lambda actual, wanted: (actual is not None) == bool(wanted),
    "$contains": _equal,
    "$autocomplete": _like,
    "$q": _like,
}
