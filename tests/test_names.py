"""What is remembered of names that callers and upstreams choose."""

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
import requests

from chatproxy.forwarding import Way, headers
from chatproxy.forwarding.target import Upstream
from chatproxy.names import LONGEST, MOST, remembered
from chatproxy.server import environ, request, response

#: As long as a field's name, or a parameter's, may be.
LENGTH = 8000

PLAN = Way(Upstream.at("http://up.example"), requests.Session()).plan(frozenset({"api_key"}))

REMEMBERING: list[Callable[[str], Any]] = [
    PLAN.in_request,
    PLAN.in_answer,
    PLAN.drops_parameter,
    headers.squeezed,
    headers._name,
    request._plain,
    environ._key,
    response._lower,
]


def counted() -> tuple[list[str], Callable[[str], str]]:
    found: list[str] = []

    def find(name: str) -> str:
        found.append(name)
        return name.upper()

    return found, remembered(find)


def test_a_name_is_looked_at_once() -> None:
    looked_at, find = counted()

    assert [find("Accept"), find("accept"), find("Accept")] == ["ACCEPT"] * 3
    assert looked_at == ["Accept", "accept"]


def test_a_long_one_is_looked_at_each_time() -> None:
    looked_at, find = counted()
    longest, longer = "a" * LONGEST, "a" * (LONGEST + 1)

    assert [find(one) for one in (longest, longer) * 2] == [longest.upper(), longer.upper()] * 2
    assert looked_at == [longest, longer, longer]


def test_where_there_is_room_for_no_more_it_begins_anew() -> None:
    looked_at, find = counted()
    names = [str(number) for number in range(MOST)]

    for name in (*names, *names):
        find(name)

    assert looked_at == names

    for name in ("one more", names[0], names[0]):
        find(name)

    assert looked_at == [*names, "one more", names[0]]


@pytest.mark.parametrize("find", REMEMBERING)
def test_names_that_callers_make_up_take_no_memory(find: Callable[[str], Any]) -> None:
    tracemalloc.start()

    try:
        before, _ = tracemalloc.get_traced_memory()

        for number in range(2 * MOST):
            find(f"HTTP_{number:0{LENGTH}}")

        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert after - before < 50 * LENGTH
