"""The memory in which processes count: what is kept, what goes, and what if it is full."""

import time

import pytest

from chatproxy.metrics import exposition, series, table
from chatproxy.metrics.segments import RESERVED, SIZE, Segment, Segments
from chatproxy.metrics.sums import sums
from tests.scraping import counted_in


def test_what_was_counted_is_read_with_its_labels(segment: Segment) -> None:
    table.TOKENS_MINTED.add("stream")
    table.TOKENS_MINTED.add("stream", by=2)
    table.TOKENS_MINTED.add("imkit")

    found = counted_in(segment)
    assert found.value("chatproxy_tokens_minted_total", provider="stream") == 3
    assert found.value("chatproxy_tokens_minted_total", provider="imkit") == 1


def test_a_value_at_a_bound_is_below_it(segment: Segment) -> None:
    for seconds in (0.0, 0.005, 0.0051, 60.0, 61.0):
        table.UPSTREAM_ANSWER.observe(seconds, "stream")

    (cells,) = sums([segment])[table.UPSTREAM_ANSWER.name].values()
    cumulated = dict(table.UPSTREAM_ANSWER.cumulated(cells))
    assert cumulated[0.005] == 2
    assert cumulated[0.01] == 3
    assert cumulated[60.0] == 4
    assert cumulated[float("inf")] == 5
    assert cells[-1] == sum((0.0, 0.005, 0.0051, 60.0, 61.0))


@pytest.mark.usefixtures("segment")
def test_processes_are_added_up_and_outlive_their_end() -> None:
    segments = Segments(2)

    for _ in range(2):
        series.count_in(segments.take())
        table.TOKENS_MINTED.add("stream", by=5)

    segments.keep([])
    found = sums(segments)
    assert found[table.TOKENS_MINTED.name] == {("stream",): [10.0]}


def test_a_successor_goes_on_and_has_nothing_of_what_there_was(segment: Segment) -> None:
    table.TOKENS_MINTED.add("stream")
    table.IN_FLIGHT.add(by=7)
    series.count_in(segment)
    table.TOKENS_MINTED.add("stream")

    found = counted_in(segment)
    assert found.value("chatproxy_tokens_minted_total") == 2
    assert found.value("chatproxy_requests_in_flight") == 0


@pytest.mark.usefixtures("segment")
def test_what_a_dead_process_had_is_not_there_any_more() -> None:
    segments = Segments(2)
    series.count_in(segments.take())
    table.IN_FLIGHT.add(by=7)
    assert sums(segments)[table.IN_FLIGHT.name] == {(): [7.0]}
    segments.keep([])
    assert sums(segments)[table.IN_FLIGHT.name] == {(): [0.0]}


def test_memory_is_not_more_however_many_are_replaced() -> None:
    segments = Segments(3)
    before = len(list(segments))

    for _ in range(50):
        kept = [segments.take() for _ in range(3)]
        assert [one for one in kept if not any(one is mine for mine in segments)] == []
        segments.keep(kept[:1])
        segments.keep([])

    assert len(list(segments)) == before


def test_one_worker_too_many_counts_where_nobody_looks_and_does_no_harm() -> None:
    segments = Segments(1)
    first, second = segments.take(), segments.take()

    assert first is not second
    assert not any(one is second for one in segments)


def test_series_for_which_there_is_no_room_are_counted_as_others(segment: Segment) -> None:
    """Nothing is lost, and what a scrape reads stays bounded."""
    for number in range(20_000):
        table.UPSTREAM_CALLS.add(f"provider-{number:06}", "2xx")

    found = counted_in(segment)
    series_there = len(sums([segment])[table.UPSTREAM_CALLS.name])
    assert found.value("chatproxy_upstream_calls_total") == 20_000
    assert 5_000 < series_there < 15_000
    assert (
        found.value("chatproxy_upstream_calls_total", provider="other") == 20_000 - series_there + 1
    )


def test_the_reserve_has_room_for_every_metric() -> None:
    """When all others are there already, each may still have its series of others."""
    bytes_of_all = sum(
        2 * 8 + 64 + len(one.name) + 12 * len(one.labels) + 8 * one.cells for one in table.TABLE
    )
    assert bytes_of_all < RESERVED < SIZE


def test_labels_with_any_characters_come_back_as_they_were(segment: Segment) -> None:
    odd = 'a"b\\c\nd\u20ac\udc80'
    table.TOKENS_MINTED.add(odd)

    assert counted_in(segment).value("chatproxy_tokens_minted_total", provider=odd) == 1


def test_a_long_answer_lets_others_run(segment: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker serves all its requests in one thread."""
    turns: list[float] = []
    monkeypatch.setattr(time, "sleep", turns.append)

    for number in range(200):
        table.UPSTREAM_ANSWER.observe(0.1, f"provider-{number}")

    content, _ = exposition.render("", draining=False)
    lines = content.count(b"\n")
    assert lines > 3_000
    assert len(turns) > lines / (2 * exposition.TURN)
    assert segment.is_alive


def test_what_a_process_wrote_as_it_died_is_in_no_later_series(segment: Segment) -> None:
    half_a_key = slice(64, 1024)
    segment.cells.obj[half_a_key] = b"\xff" * 960  # type: ignore[index]
    table.UPSTREAM_ANSWER.observe(0.1, "stream")

    (cells,) = sums([segment])[table.UPSTREAM_ANSWER.name].values()
    assert sum(cells) == 1.1
