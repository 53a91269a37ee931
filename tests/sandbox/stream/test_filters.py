"""Conditions, order, pages."""

from typing import Any

import pytest

from sandbox.stream.errors import StreamError
from sandbox.stream.filters import matches, select

FACTS = {"id": "ann", "age": 41, "members": ["ann", "bob"], "name": "Ann Õ"}


@pytest.mark.parametrize(
    ("conditions", "met"),
    [
        ({}, True),
        ({"id": "ann"}, True),
        ({"id": {"$eq": "ann"}, "age": 41}, True),
        ({"id": {"$in": ["bob", "ann"]}}, True),
        ({"members": "bob"}, True),
        ({"members": {"$in": ["carl", "bob"]}}, True),
        ({"name": {"$autocomplete": "õ"}}, True),
        ({"id": "bob"}, False),
        ({"none": 1}, False),
        ({"members": "carl"}, False),
        ({"id": "ann", "age": 40}, False),
    ],
)
def test_conditions_are_met_or_not(conditions: dict[str, Any], met: bool) -> None:
    assert matches(FACTS, conditions) is met


def test_an_unknown_operator_is_an_error() -> None:
    with pytest.raises(StreamError):
        matches(FACTS, {"id": {"$like": "a"}})


def test_pages_are_cut_after_sorting() -> None:
    query = {"sort": [{"field": "n", "direction": -1}], "limit": 2, "offset": 1}
    assert select([{"n": 2}, {"n": 3}, {"n": 1}], query, 30) == [{"n": 2}, {"n": 1}]
