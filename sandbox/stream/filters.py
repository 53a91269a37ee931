"""The part of the filter language that is needed: equality, `$in` and `$autocomplete`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from .errors import INPUT, StreamError
from .state import Document


def matches(facts: Document, conditions: Document) -> bool:
    """Whether a flat document meets all conditions. Raises StreamError 4 for other operators."""
    return all(_meets(facts.get(key), key, wanted) for key, wanted in conditions.items())


def arrange(found: list[Document], sort: object, limit: int, offset: int) -> list[Document]:
    """Order by `[{"field", "direction"}]`, most important first, then cut a page out."""
    for order in reversed(sort if isinstance(sort, list) else []):
        field = order.get("field", "created_at")
        found.sort(key=lambda item: _sortable(item.get(field)), reverse=order["direction"] == -1)

    return found[offset : offset + limit]


def _sortable(value: object) -> tuple[bool, str]:
    return value is not None, value.isoformat() if isinstance(value, datetime) else str(value)


def _meets(actual: Any, key: str, wanted: Any) -> bool:
    tests = wanted if isinstance(wanted, dict) else {"$eq": wanted}
    for operator in tests:
        if operator not in OPERATORS:
            raise StreamError(INPUT, f"operator {operator} is not supported", {key: "bad filter"})

    return all(OPERATORS[operator](actual, operand) for operator, operand in tests.items())


def _equals(actual: Any, wanted: Any) -> bool:
    if isinstance(actual, list) and not isinstance(wanted, list):
        return wanted in actual

    return bool(actual == wanted)


def _is_one_of(actual: Any, wanted: Any) -> bool:
    return any(_equals(actual, item) for item in wanted)


def _contains_text(actual: Any, wanted: Any) -> bool:
    return isinstance(actual, str) and str(wanted).lower() in actual.lower()


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equals,
    "$in": _is_one_of,
    "$autocomplete": _contains_text,
}
