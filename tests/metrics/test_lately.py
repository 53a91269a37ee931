"""What happened last: kept by each process, read by all, whole or not at all."""

import dataclasses
import multiprocessing
import time

import pytest

from chatproxy.metrics.lately import (
    FACTS_SIZE,
    FAULT_SIZE,
    FAULTS,
    Fault,
    Lately,
    Record,
    newest_facts,
    newest_faults,
)

FAULT = Fault(1.0, "upstream", "stream", "/proxy/<path>", 502, "UpstreamBroken", "Broken.", "id-1")


def at(seconds: float) -> Fault:
    return dataclasses.replace(FAULT, at=seconds, request_id=f"id-{seconds}")


def test_a_fault_comes_back_as_it_was() -> None:
    part = Lately()
    part.remember(FAULT)

    assert list(part.faults()) == [FAULT]


def test_the_oldest_make_room() -> None:
    part = Lately()

    for number in range(3 * FAULTS + 5):
        part.remember(at(number))

    assert sorted(one.at for one in part.faults()) == list(range(2 * FAULTS + 5, 3 * FAULTS + 5))


def test_the_newest_of_all_processes_come_first() -> None:
    parts = [Lately(), Lately(), Lately()]

    for number in range(30):
        parts[number % 2].remember(at(number))

    assert [one.at for one in newest_faults(parts, 12)] == list(range(29, 17, -1))


TEXTS = ["x" * 5000, "\x00" * 5000, "é" * 5000, '"\\' * 5000, "\ud800" * 99]


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: ascii(text[:3]))
def test_no_text_is_too_long_for_its_record(text: str) -> None:
    part = Lately()
    names = ("side", "provider", "route", "kind", "message", "request_id")
    part.remember(dataclasses.replace(FAULT, **dict.fromkeys(names, text)))
    (found,) = part.faults()

    assert len(found.message) > 10
    assert text.startswith(found.message)


def test_the_newest_fact_of_a_name_counts() -> None:
    parts = [Lately(), Lately()]
    parts[0].tell("a", {"at": 2, "n": 1})
    parts[1].tell("a", {"at": 1, "n": 2})
    parts[1].tell("b", {"at": 1, "n": 3})
    parts[1].tell("b", {"at": 3, "n": 4})

    assert newest_facts(parts) == {"a": {"at": 2, "n": 1}, "b": {"at": 3, "n": 4}}


def test_facts_without_room_change_nothing() -> None:
    part = Lately()
    part.tell("a", {"at": 1})
    part.tell("b", {"at": 2, "text": "x" * FACTS_SIZE})

    assert part.told() == {"a": {"at": 1}}


def test_a_record_that_is_being_written_is_not_read() -> None:
    memory = memoryview(bytearray(FAULT_SIZE))
    record = Record(memory)
    record.write(b'{"n":1}')
    words = memory.cast("Q")
    words[0] += 1
    assert record.read() is None

    record.write(b'{"n":2}')  # as the successor of a process that has died within
    assert (record.read(), words[0] % 2) == ({"n": 2}, 0)


def _tell_on(part: Lately, until: float) -> None:
    number = 0

    while time.monotonic() < until:
        number += 1
        part.tell("a", {"at": number, "long": str(number) * (number % 400)})
        part.remember(dataclasses.replace(FAULT, at=number, message=str(number) * 20))


def test_readers_never_see_half() -> None:
    part = Lately()
    until = time.monotonic() + 0.5
    writer = multiprocessing.get_context("fork").Process(target=_tell_on, args=(part, until))
    writer.start()
    seen = 0

    while time.monotonic() < until:
        for fact in part.told().values():
            assert fact["long"] == str(fact["at"]) * (fact["at"] % 400)
            seen += 1

        for fault in part.faults():
            assert fault.message == (str(int(fault.at)) * 20)[: len(fault.message)]

    writer.join()
    assert seen > 10
