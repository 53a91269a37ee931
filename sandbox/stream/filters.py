"""Queries: conditions with equality, `$in` and `$autocomplete`; order; a page of what fits."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from .errors import INPUT, StreamError
from .state import Document


def select(documents: Iterable[Document], query: Mapping[str, Any], most: int) -> list[Document]:
    """Return the documents that a query asks for, `most` at most. Raises StreamError 4."""
    conditions, sort = query.get("filter_conditions") or {}, query.get("sort") or []
    chosen = [document for document in documents if matches(document, conditions)]
    # Most important first, and sorting is stable, so the least important comes first here.
    for order in reversed(sort):
        field = order.get("field", "created_at")
        chosen.sort(key=lambda one: _sortable(one.get(field)), reverse=order["direction"] == -1)

    return page(chosen, query, most)


def matches(facts: Document, conditions: Document) -> bool:
    """Whether a flat document meets all conditions. Raises StreamError 4 for other operators."""
    return all(_meets(facts.get(key), key, wanted) for key, wanted in conditions.items())


def page(documents: list[Document], query: Mapping[str, Any], most: int) -> list[Document]:
    """Cut a page out. Raises StreamError 4 where its limit is too high."""
    limit, offset = int(query.get("limit") or most), int(query.get("offset") or 0)
    if not 0 < limit <= most:
        raise StreamError(INPUT, f"limit must be between 1 and {most}", "limit")

    return documents[offset : offset + limit]


def _sortable(value: object) -> tuple[bool, str]:
    return value is not None, value.isoformat() if isinstance(value, datetime) else str(value)


def _meets(actual: Any, key: str, wanted: Any) -> bool:
    tests = wanted if isinstance(wanted, dict) else {"$eq": wanted}
    for operator in tests:
        if operator not in OPERATORS:
            raise StreamError(INPUT, f"operator {operator} is not supported", key)

    return all(OPERATORS[operator](actual, operand) for operator, operand in tests.items())


def _equals(actual: Any, wanted: Any) -> bool:
    return wanted in actual if isinstance(actual, list) else bool(actual == wanted)


def _contains_text(actual: Any, wanted: Any) -> bool:
    return isinstance(actual, str) and str(wanted).lower() in actual.lower()


OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": _equals,
    "$in": lambda actual, wanted: any(_equals(actual, item) for item in wanted),
    "$autocomplete": _contains_text,
}
