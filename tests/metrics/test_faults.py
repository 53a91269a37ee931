"""What is counted when the database, Redis or changed settings fail."""

import contextlib
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from chatproxy.errors import CallerError, DirectoryUnavailable, LimiterUnavailable
from chatproxy.formats.rates import Rate
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.limiting.limiter import Limiter
from chatproxy.metrics import server, table
from chatproxy.metrics.segments import Segment
from chatproxy.server.waits import Waits, What
from chatproxy.settings.limits import LimiterSettings
from tests.databases import new_directory
from tests.mounted import swap, wait_for
from tests.scraping import counted_in, scrape
from tests.sidecar import Sidecar, free_port
from tests.stopwatch import Stopwatch
from tests.upstream import StreamUpstream
from tests.wire import ask, get

FAULTS = "chatproxy_directory_faults_total"


def test_a_database_that_fails(segment: Segment, tmp_path: Path, clock: Stopwatch) -> None:
    with new_directory("sqlite", tmp_path) as url:
        directory = Directory(url, ["k" * 40], now=clock, monotonic=clock)

        with pytest.raises(DirectoryUnavailable), directory.database.writing() as connection:
            connection.execute(text("INSERT INTO nowhere VALUES (1)"))

        with pytest.raises(DirectoryUnavailable), directory.database.reading() as connection:
            connection.execute(text("SELECT * FROM nowhere"))

        directory.users.find(DEFAULT_APP, "alice")

        with pytest.raises(CallerError):  # what is wrong with a text is no fault of the database
            directory.users.find(DEFAULT_APP, "\ud800")

        directory.close()

    found = counted_in(segment)
    assert found.value(FAULTS, work="write") == 1
    assert found.value(FAULTS, work="read") == 1
    assert found.value(FAULTS, work="read-only") == 0


def test_a_redis_that_fails(segment: Segment, clock: Stopwatch) -> None:
    url = f"redis://127.0.0.1:{free_port()}/0"
    limiter = Limiter(LimiterSettings(redis_url=url, without_redis="count"), clock)

    for _ in range(3):  # asked once: for a second it is known to be away
        limiter.hit("a", Rate(10, 60, "10 per minute"))

    assert counted_in(segment).value("chatproxy_redis_faults_total") == 1

    with contextlib.suppress(LimiterUnavailable):
        limiter.ping()

    assert counted_in(segment).value("chatproxy_redis_faults_total") == 2
    limiter.close()


def test_a_change_of_the_settings(segment: Segment) -> None:
    server.settings_judged(100.0, good=True)
    server.settings_judged(200.0, good=False)

    found = counted_in(segment)
    assert found.value(table.SETTINGS_GENERATION.name) == 1
    assert found.value(table.SETTINGS_GOOD.name) == 0
    assert found.value(table.SETTINGS_LOADED_AT.name) == 100
    assert found.value(table.SETTINGS_REFUSED_AT.name) == 200

    server.settings_judged(300.0, good=True)
    found = counted_in(segment)
    assert found.value(table.SETTINGS_GENERATION.name) == 2
    assert found.value(table.SETTINGS_GOOD.name) == 1


def test_files_that_change_while_it_runs(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], tmp_path: Path
) -> None:
    folder = tmp_path / "mounted"
    secret = "an-api-secret-0123456789abcdef0123"  # noqa: S105
    swap(folder, {"secret": secret})
    files = {"STREAM_API_SECRET": "", "STREAM_API_SECRET_FILE": str(folder / "secret")}

    with sidecar_before(upstream.url, **files) as sidecar:
        first = scrape(sidecar.port)
        assert first.value(table.SETTINGS_GENERATION.name) == 1
        assert first.value(table.SETTINGS_GOOD.name) == 1
        started = first.value(table.STARTED_AT.name)
        assert first.value(table.SETTINGS_LOADED_AT.name) == started > 1.7e9

        swap(folder, {"secret": ""})
        wait_for(lambda: scrape(sidecar.port).value(table.SETTINGS_GOOD.name) == 0, within=30)
        assert scrape(sidecar.port).value(table.SETTINGS_GENERATION.name) == 1
        assert scrape(sidecar.port).value(table.SETTINGS_REFUSED_AT.name) >= started

        swap(folder, {"secret": secret + "-new"})
        wait_for(lambda: scrape(sidecar.port).value(table.SETTINGS_GOOD.name) == 1, within=30)
        assert scrape(sidecar.port).value(table.SETTINGS_GENERATION.name) == 2
        assert ask(sidecar.port, get("/api-key")).status == 200


def test_a_caller_who_has_to_make_room(segment: Segment) -> None:
    waits = Waits()
    ours, theirs = socket.socketpair()
    waits.begin(waits.waiting(ours, What.HEAD))
    assert counted_in(segment).value("chatproxy_connections_ended_total") == 0

    waits.is_short = lambda: True
    waits.begin(waits.waiting(theirs, What.HEAD))
    assert counted_in(segment).value("chatproxy_connections_ended_total") == 1
    ours.close()
    theirs.close()
