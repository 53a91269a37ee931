"""When a document is tried again, and what is told of it meanwhile; with a clock of the test's."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.clock import Clock
from chatproxy.metrics import series
from chatproxy.metrics.segments import Segment
from chatproxy.providers import SETTINGS
from chatproxy.providers.registry import make_providers
from chatproxy.server.baton import Baton
from chatproxy.services import Services, open_services
from chatproxy.upkeep.work import FIRST_WAIT, JITTER, LONGEST_WAIT, Upkeep
from tests.providers.stream.permissions.applications import (
    ApplicationUpstream,
    account,
    application,
    written,
)
from tests.scraping import Scrape, counted_in

GOOD: dict[str, Any] = {"team": {"user": []}}


class Time:
    """Goes on by as much as anybody sleeps."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def stream() -> Iterator[ApplicationUpstream]:
    with application() as running:
        yield running


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Segment:
    segment = Segment()
    monkeypatch.setattr(series, "_store", series.Store(segment))
    return segment


Make = Callable[[Any], Services]


@pytest.fixture
def services_of(stream: ApplicationUpstream, tmp_path: Path, time: Time) -> Iterator[Make]:
    """Make the services of a worker with a document."""
    made: list[Services] = []

    def make(content: Any) -> Services:
        path = written(tmp_path / "p.json", content)
        found = settings.load(SETTINGS, account(stream) | {"PERMISSIONS_CONFIG": path})
        made.append(open_services(found, make_providers(found)))
        # Not before: connections and their limits go by the real one.
        made[-1].clock = Clock(monotonic=time.monotonic)
        return made[-1]

    yield make

    for one in made:
        one.close()


class Watched(Baton):
    """Tells when it is taken and given."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    def take(self) -> bool:
        self.told.append("taken")
        return super().take()

    def give(self) -> None:
        self.told.append("given")
        super().give()


def begun(services: Services, baton: Any, time: Time, chance: float = 0.5) -> Upkeep:
    return Upkeep(services, baton, chance=lambda: chance, sleep=time.sleep)


def until(upkeep: Upkeep, services: Services, time: Time, seconds: float) -> None:
    """Look, until so many seconds are over."""
    end = time.now + seconds
    services.lifetime.ends_when(lambda: time.now >= end, lambda: False)
    upkeep.look()


def tries(counted: Segment, **labels: str) -> float:
    found: Scrape = counted_in(counted)
    return found.value("chatproxy_permissions_attempts_total", **labels)


def test_the_wait_doubles_up_to_the_longest(
    services_of: Make, stream: ApplicationUpstream, time: Time, counted: Segment
) -> None:
    services = services_of({"team": {"user": ["fly-away"]}})
    upkeep = begun(services, Baton(), time)
    at: list[float] = []

    for _ in range(12):
        before = tries(counted)

        while tries(counted) == before:
            until(upkeep, services, time, 1)

        at.append(time.now)

    gaps = [round(later - earlier) for earlier, later in zip(at, at[1:], strict=False)]
    assert gaps == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert [FIRST_WAIT, LONGEST_WAIT] == [1, 300]
    # The wish to fly was written once in each attempt, and not once for each look.
    assert stream.writes() == [("PUT", "/channeltypes/team")] * 12


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_replicas_do_not_all_come_at_once(
    chance: float, services_of: Make, stream: ApplicationUpstream, time: Time
) -> None:
    services = services_of(GOOD)
    upkeep = begun(services, Baton(), time, chance)

    assert upkeep._wait(3, None) == pytest.approx(4 * (1 + JITTER * (2 * chance - 1)))
    assert upkeep._wait(99, None) <= LONGEST_WAIT * (1 + JITTER)
    assert upkeep._wait(1, 60.0) >= 60.0
    assert upkeep._wait(1, 1e9) <= LONGEST_WAIT * (1 + JITTER)


def test_nobody_is_asked_before_the_time_that_a_429_names(
    services_of: Make, stream: ApplicationUpstream, time: Time, counted: Segment
) -> None:
    services = services_of(GOOD)
    upkeep = begun(services, Baton(), time)
    # The stand-in names the end of a minute of the real clock: very far away from here.
    services.clock = Clock(now=lambda: 0.0, monotonic=time.monotonic)
    stream.faults.next("status=429", path="/app")
    until(upkeep, services, time, LONGEST_WAIT - 2)
    assert tries(counted) == tries(counted, outcome="limited") == 1
    assert "429" in upkeep.notes()["permissions"]["stream"]

    until(upkeep, services, time, JITTER * LONGEST_WAIT)
    assert tries(counted, outcome="in_force") == 1
    assert upkeep.notes() == {}


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [
        ("status=503", "unreachable"),
        ("status=408", "unreachable"),
        ("status=401", "refused"),
        ("redirect=http://127.0.0.1:9/", "unreachable"),
        ("reset", "unreachable"),
        ("gzip", "unreadable"),
        ("status=429-budget", "limited"),
    ],
)
def test_whatever_goes_wrong_is_told_and_tried_again(
    fault: str,
    outcome: str,
    services_of: Make,
    stream: ApplicationUpstream,
    time: Time,
    counted: Segment,
) -> None:
    services = services_of(GOOD)
    baton = Baton()
    upkeep = begun(services, baton, time)
    # A GET on a fresh connection is not repeated; on a kept one it may be.
    stream.faults.next(fault, path="/roles")
    until(upkeep, services, time, 1)
    assert tries(counted, outcome=outcome) == 1
    assert upkeep.notes()["permissions"]["stream"].startswith("not in force: ")
    # Each worker tells it.
    assert begun(services, baton, time).notes() == upkeep.notes()

    until(upkeep, services, time, 2 * LONGEST_WAIT)
    assert tries(counted, outcome="in_force") == 1
    assert upkeep.notes() == {}
    assert stream.there()["types"]["team"]["grants"]["user"] == []


def test_another_worker_keeps_to_the_wait_and_the_count(
    services_of: Make, stream: ApplicationUpstream, time: Time, counted: Segment
) -> None:
    services = services_of(GOOD)
    baton = Baton()

    for _ in range(3):
        stream.faults.next("status=503", path="/roles")

    first = begun(services, baton, time)
    until(first, services, time, 1.5)
    assert tries(counted) == 2
    second = begun(services, baton, time)
    until(second, services, time, 0.5)
    assert tries(counted) == 2
    assert "Tried 2 times" in second.notes()["permissions"]["stream"]
    until(second, services, time, 10)
    assert tries(counted, outcome="unreachable") == 3
    assert tries(counted, outcome="in_force") == 1


def test_a_document_that_is_in_force_is_not_looked_at_again(
    services_of: Make, stream: ApplicationUpstream, time: Time
) -> None:
    services = services_of(GOOD)
    baton = Watched()
    until(begun(services, baton, time), services, time, 5)
    stream.journal.clear()

    for _ in range(3):
        until(begun(services, baton, time), services, time, 5)

    assert stream.calls() == []
    assert baton.told == ["taken", "given"]


def test_a_change_is_seen_while_the_last_document_is_being_refused(
    services_of: Make, stream: ApplicationUpstream, time: Time, counted: Segment
) -> None:
    """Nobody else could put it in force, and no request may come."""
    services = services_of({"team": {"user": ["fly-away"]}})
    changed = services_of(GOOD).backends["stream"].provider
    end = time.now + 10

    def renew() -> None:
        if time.now > end:
            services.backends["stream"].provider = changed

    services.renew = renew
    until(begun(services, Baton(), time), services, time, 60)

    assert tries(counted, outcome="in_force") == 1
    assert tries(counted, outcome="refused") == 4


def test_who_has_no_baton_does_nothing(
    services_of: Make, stream: ApplicationUpstream, time: Time
) -> None:
    class Taken(Baton):
        def take(self) -> bool:
            return False

    services = services_of(GOOD)
    upkeep = begun(services, Taken(), time)
    until(upkeep, services, time, 5)

    assert stream.calls() == []
    assert upkeep.notes() == {"permissions": {"stream": "being put in force"}}


def test_a_worker_that_ends_stops_between_two_writes_and_gives_the_baton(
    services_of: Make, stream: ApplicationUpstream, time: Time, counted: Segment
) -> None:
    content = {"app": {f"role-{number}": [] for number in range(5)}}
    services = services_of(content)
    baton = Watched()
    services.lifetime.ends_when(lambda: len(stream.writes()) >= 2, lambda: False)
    begun(services, baton, time).look()
    assert baton.told == ["taken", "given"]
    assert stream.writes() == [("POST", "/roles")] * 2
    assert tries(counted, outcome="stopped") == 1

    until(begun(services, baton, time), services, time, 5)
    assert stream.writes() == [("POST", "/roles")] * 5
    assert tries(counted, outcome="in_force") == 1


def test_a_bug_of_ours_is_told_and_tried_again(
    services_of: Make,
    stream: ApplicationUpstream,
    time: Time,
    counted: Segment,
    caplog: pytest.LogCaptureFixture,
) -> None:
    services = services_of(GOOD)
    upkeep = begun(services, Baton(), time)
    kept = services.backends["stream"].provider.permissions  # type: ignore[attr-defined]
    good, kept.plan = kept.plan, lambda ask: 1 / 0
    until(upkeep, services, time, 1)
    assert tries(counted, outcome="error") == 1
    assert "It failed here (ZeroDivisionError)." in upkeep.notes()["permissions"]["stream"]
    assert "permissions cannot be put in force" in caplog.text

    kept.plan = good
    until(upkeep, services, time, 5)
    assert tries(counted, outcome="in_force") == 1


def test_without_a_document_nothing_is_begun(stream: ApplicationUpstream) -> None:
    found = settings.load(SETTINGS, account(stream))
    services = open_services(found, make_providers(found))
    before = list(services.parts)
    Upkeep(services, Baton()).start()

    assert services.parts == before
    assert stream.calls() == []
    services.close()


def test_what_many_faults_say_is_bounded(
    services_of: Make, stream: ApplicationUpstream, time: Time
) -> None:
    content = {f"forum-{number}": {"user": []} for number in range(1000)}
    services = services_of(content)
    upkeep = begun(services, Baton(), time)
    until(upkeep, services, time, 1)

    told = upkeep.notes()["permissions"]["stream"]
    assert "forum-0 at Stream" in told
    assert "And 990 more." in told
    assert len(json.dumps(told)) < 2000
