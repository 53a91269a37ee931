"""How a document is put in force, whosever it is: look, write, look again."""

from collections.abc import Callable
from typing import Any

import pytest

from chatproxy.errors import UpstreamUnreachable
from chatproxy.providers.permissions import (
    Ask,
    Fault,
    Plan,
    Refused,
    Reply,
    Request,
    Write,
    put_in_force,
)


def write(name: str) -> Write:
    return Write(Request("PUT", f"/{name}", {"name": name}), (f"+ {name}",))


class Kept:
    """A document whose plans are given, one for each look; the last one stays."""

    digest = "d"

    def __init__(self, *plans: Plan, refuses: str = "", away: str = "") -> None:
        self.plans = list(plans)
        self.looks = 0
        self.written: list[str] = []
        self.refuses, self.away = refuses, away

    def plan(self, ask: Ask) -> Plan:
        self.looks += 1
        return self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]

    def write(self, ask: Ask, write: Write) -> None:
        self.written.append(write.request.path)

        if write.request.path == f"/{self.refuses}":
            raise Refused("no", detail="why")

        if write.request.path == f"/{self.away}":
            raise UpstreamUnreachable("away")


def ask(request: Request) -> Reply:
    raise AssertionError("the document asks")


def plan(*names: str, **fields: Any) -> Plan:
    return Plan(tuple(map(write, names)), **fields)


def test_nothing_to_write_is_one_look() -> None:
    kept = Kept(Plan())

    assert put_in_force(kept, ask) == (0, ())
    assert kept.looks == 1


def test_what_is_written_is_looked_at_again_and_may_have_more_to_it() -> None:
    kept = Kept(plan("a"), plan("b"), Plan())
    told: list[Write] = []

    assert put_in_force(kept, ask, told.append) == (2, ())
    assert (kept.looks, kept.written) == (3, ["/a", "/b"])
    assert told == [write("a"), write("b")]


def test_what_is_taken_and_not_kept_is_told_and_not_written_for_ever() -> None:
    kept = Kept(plan("a"))
    done = put_in_force(kept, ask)

    assert done is not None
    assert done.faults == (Fault("The provider took it, and it is still not so: + a."),)
    assert kept.written == ["/a", "/a"]


def test_one_that_is_refused_is_sent_once_and_holds_up_no_other() -> None:
    kept = Kept(plan("a", "b", "c"), plan("b"), refuses="b")

    assert put_in_force(kept, ask) == (2, (Fault("no", "why"),))
    assert kept.written == ["/a", "/b", "/c"]


def test_one_that_was_refused_since_another_had_done_it_is_no_fault() -> None:
    """Two replicas make the same role; the second is told that it is there."""
    kept = Kept(plan("a"), Plan(), refuses="a")

    assert put_in_force(kept, ask) == (0, ())


def test_faults_of_the_last_look_count() -> None:
    kept = Kept(plan("a", faults=("old",)), Plan(faults=("new",)))

    assert put_in_force(kept, ask) == (1, (Fault("new"),))


def test_where_the_provider_is_away_the_rest_waits() -> None:
    kept = Kept(plan("a", "b", "c"), away="b")

    with pytest.raises(UpstreamUnreachable):
        put_in_force(kept, ask)

    assert kept.written == ["/a", "/b"]


@pytest.mark.parametrize("after", [0, 1, 2])
def test_it_ends_between_two_writes(after: int) -> None:
    kept = Kept(plan("a", "b", "c"))
    goes_on: Callable[[], bool] = lambda: len(kept.written) < after  # noqa: E731

    assert put_in_force(kept, ask, goes_on=goes_on) is None
    assert len(kept.written) == after


def test_a_fault_says_its_detail_where_it_has_one() -> None:
    assert [str(Fault("a", "b")), str(Fault("a"))] == ["a (b)", "a"]
