"""The filter language."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.stream.errors import StreamError
from sandbox.stream.filters import arrange, matches

FACTS = {
    "id": "ann",
    "age": 41,
    "members": ["ann", "bob"],
    "name": "Ann Õ",
    "at": datetime(2026, 1, 1, tzinfo=UTC),
}


@pytest.mark.parametrize(
    "conditions",
    [
        {},
        {"id": "ann"},
        {"id": {"$eq": "ann"}, "age": 41},
        {"id": {"$ne": "bob"}},
        {"id": {"$in": ["bob", "ann"]}},
        {"id": {"$nin": ["bob"]}},
        {"members": "bob"},
        {"members": {"$in": ["carl", "bob"]}},
        {"members": {"$contains": "ann"}},
        {"age": {"$gt": 40, "$lte": 41}},
        {"at": {"$gte": "2026-01-01T00:00:00Z", "$lt": "2026-01-02"}},
        {"none": {"$exists": False}},
        {"id": {"$exists": True}},
        {"name": {"$autocomplete": "õ"}},
        {"$and": [{"id": "ann"}, {"$or": [{"age": 1}, {"age": 41}]}]},
        {"$nor": [{"id": "bob"}]},
    ],
)
def test_conditions_that_are_met(conditions: dict[str, Any]) -> None:
    assert matches(FACTS, conditions)


@pytest.mark.parametrize(
    "conditions",
    [
        {"id": "bob"},
        {"none": 1},
        {"age": {"$gt": 41}},
        {"age": {"$gt": "x"}},
        {"none": {"$lt": 5}},
        {"members": "carl"},
        {"$or": []},
        {"id": "ann", "age": 40},
    ],
)
def test_conditions_that_are_not_met(conditions: dict[str, Any]) -> None:
    assert not matches(FACTS, conditions)


def test_an_unknown_operator_is_an_error() -> None:
    with pytest.raises(StreamError):
        matches(FACTS, {"id": {"$like": "a"}})


def test_pages_are_cut_after_sorting() -> None:
    found = [{"n": 2}, {"n": 3}, {"n": 1}]
    assert arrange(found, [{"field": "n", "direction": -1}], 2, 1) == [{"n": 2}, {"n": 1}]
