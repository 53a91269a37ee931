"""`/-/metrics` of a real server, with three workers that come and go."""

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from chatproxy.metrics import table
from tests.mounted import wait_for
from tests.scraping import Scrape, read, scrape
from tests.sidecar import Sidecar, free_port
from tests.upstream import StreamUpstream
from tests.wire import ask, connected, get, post

WORKERS = 3
#: Scrapes that ask all workers, as good as certainly.
SCRAPES = 12
ROUTE = "/proxy/<path>"


@pytest.fixture
def three(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    with sidecar_before(upstream.url, WORKERS=str(WORKERS)) as running:
        wait_for(lambda: scrape(running.port).value("chatproxy_workers") == WORKERS, within=60)
        yield running


def forwarded(found: Scrape) -> float:
    return found.value("chatproxy_requests_total", route=ROUTE)


def ask_often(sidecar: Sidecar, times: int) -> None:
    for _ in range(times):
        assert ask(sidecar.port, get("/proxy/app")).status == 200


def settled(sidecar: Sidecar, workers: set[int]) -> bool:
    """Whether none of these workers is left, and as many others serve."""
    now = set(sidecar.workers())
    found = scrape(sidecar.port).value("chatproxy_workers")
    return len(now) == found == WORKERS and not now & workers


def test_every_worker_answers_what_all_have_counted(three: Sidecar) -> None:
    ask_often(three, 30)

    # The line of the last is counted when its stream closes, which its caller does not see.
    wait_for(lambda: forwarded(scrape(three.port)) == 30)
    found = [scrape(three.port) for _ in range(SCRAPES)]
    assert {forwarded(one) for one in found} == {30}
    assert {
        one.value("chatproxy_time_to_last_byte_seconds_count", route=ROUTE) for one in found
    } == {30}


def test_a_killed_worker_takes_no_count_with_it(three: Sidecar) -> None:
    ask_often(three, 20)
    wait_for(lambda: forwarded(scrape(three.port)) == 20)
    killed = set(three.workers()[:1])
    os.kill(*killed, signal.SIGKILL)
    wait_for(lambda: settled(three, killed), within=60)

    ask_often(three, 10)
    wait_for(lambda: forwarded(scrape(three.port)) == 30)
    assert {forwarded(scrape(three.port)) for _ in range(SCRAPES)} == {30}


def test_nor_does_one_that_a_reload_replaces(three: Sidecar) -> None:
    ask_often(three, 20)
    wait_for(lambda: forwarded(scrape(three.port)) == 20)

    for _ in range(2):
        replaced = set(three.workers())
        three.process.send_signal(signal.SIGHUP)
        wait_for(lambda: settled(three, replaced), within=120)  # noqa: B023 - it is called here

    ask_often(three, 10)
    wait_for(lambda: forwarded(scrape(three.port)) == 30)
    assert {forwarded(scrape(three.port)) for _ in range(SCRAPES)} == {30}


def test_nor_does_one_that_has_answered_enough(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with sidecar_before(upstream.url, MAX_REQUESTS="20") as sidecar:
        first = sidecar.workers()
        asked = 0

        def ask_until_replaced() -> bool:
            nonlocal asked
            ask_often(sidecar, 10)
            asked += 10
            return not set(sidecar.workers()) & set(first)

        wait_for(ask_until_replaced, within=60)
        wait_for(lambda: forwarded(scrape(sidecar.port)) == asked, within=10)


def test_what_is_in_flight_ends_with_callers_who_leave_and_with_workers(three: Sidecar) -> None:
    def in_flight() -> float:
        return scrape(three.port).value("chatproxy_requests_in_flight")

    with contextlib.ExitStack() as opened:
        for _ in range(5):
            sock = opened.enter_context(connected(three.port))
            sock.sendall(get("/proxy/_sandbox/drip?pieces=100&seconds=30"))

        wait_for(lambda: in_flight() == 5, within=20)

    wait_for(lambda: in_flight() == 0, within=20)

    with contextlib.ExitStack() as opened:
        for _ in range(5):
            sock = opened.enter_context(connected(three.port))
            sock.sendall(get("/proxy/_sandbox/drip?pieces=100&seconds=30"))

        wait_for(lambda: in_flight() == 5, within=20)
        killed = set(three.workers())

        for pid in killed:
            os.kill(pid, signal.SIGKILL)

        wait_for(lambda: settled(three, killed), within=60)
        assert in_flight() == 0


def test_the_formats_are_those_of_prometheus(sidecar: Sidecar) -> None:
    plain = ask(sidecar.port, get("/-/metrics"))
    assert plain.header("Content-Type") == "text/plain; version=0.0.4; charset=utf-8"
    assert read(plain.body.decode()).value("chatproxy_build_info") == 1

    fields = "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    open_metrics = ask(sidecar.port, get("/-/metrics/", fields))
    assert str(open_metrics.header("Content-Type")).startswith(
        "application/openmetrics-text; version=1.0.0"
    )
    families = {one.name for one in text_string_to_metric_families(open_metrics.body.decode())}
    assert families == {one.name.removesuffix("_total") for one in table.TABLE}


def test_it_is_at_the_status_door_alone_and_served_by_any_name(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    port = free_port()

    with sidecar_before(upstream.url, STATUS_PORT=str(port)) as sidecar:
        request = b"GET /-/metrics HTTP/1.1\r\nHost: 10.1.2.3:3004\r\n\r\n"
        assert ask(port, request).status == 200
        assert ask(sidecar.port, get("/-/metrics")).status == 404


HOSTILE = (
    get('/proxy/"quoted"?a="b"'),
    get("/proxy/app", 'User-Agent: x"} 1\\n', 'X-Request-Id: a"b\\'),
    get("/proxy/app", method="PROPFIND"),
    get("/no/such/place"),
    b'GET /-/metrics HTTP/1.1\r\nHost: a"b\r\n\r\n',
    get("/token/" + "x" * 300),
    get("/token/a%0Ab"),
)


def test_no_caller_adds_a_series(sidecar: Sidecar) -> None:
    """Whatever it puts into a path, a method, a name or a field."""
    before: set[str] = set()

    for number in range(1_500):
        hostile = (
            get(f"/proxy/user-{number}?q={number}"),
            get(f"/token/user-{number}"),
            get(f"/nowhere/{number}"),
            get(f"/proxy/x{number}", method=f"M{number}"),
        )[number % 4]
        ask(sidecar.port, hostile)

        if number == 100:
            for request in HOSTILE:
                ask(sidecar.port, request)

            before = names_of(scrape(sidecar.port))

    after = scrape(sidecar.port)
    assert names_of(after) == before
    routes = after.values_of("route")
    assert {"none", ROUTE, "/token/<userId>"} <= routes
    assert not any(character.isdecimal() for route in routes for character in route)
    assert after.values_of("method") <= {
        "GET",
        "HEAD",
        "POST",
        "PUT",
        "PATCH",
        "DELETE",
        "OPTIONS",
        "other",
    }
    assert after.value("chatproxy_requests_total", method="other") > 100


def names_of(found: Scrape) -> set[str]:
    return {f"{name}{sorted(labels.items())}" for name, labels, _ in found.samples}


def test_bytes_and_sides_are_counted(sidecar: Sidecar) -> None:
    before = scrape(sidecar.port)
    assert ask(sidecar.port, post("/proxy/_sandbox/echo", b"x" * 5000)).status == 200
    ask(sidecar.port, get("/proxy/_sandbox/echo", "X-Sandbox-Fault: reset"))

    def grown(name: str, **labels: str) -> float:
        return scrape(sidecar.port).value(name, **labels) - before.value(name, **labels)

    wait_for(lambda: grown("chatproxy_broken_exchanges_total", side="upstream") == 1)
    assert grown("chatproxy_request_body_bytes_total", route=ROUTE) == 5000
    assert grown("chatproxy_response_body_bytes_total", route=ROUTE) > 100
    assert grown("chatproxy_upstream_failures_total", kind="broken") == 1
    assert grown("chatproxy_upstream_calls_total", status_class="2xx") == 1


def test_an_answer_that_breaks_off_is_a_failure_of_the_upstream(sidecar: Sidecar) -> None:
    before = scrape(sidecar.port)
    ask(sidecar.port, get("/proxy/_sandbox/echo", "X-Sandbox-Fault: reset-body"))

    def grown() -> float:
        labels = {"provider": "stream", "kind": "answer_broken"}
        name = "chatproxy_upstream_failures_total"
        return scrape(sidecar.port).value(name, **labels) - before.value(name, **labels)

    wait_for(lambda: grown() == 1)


def test_the_pool_is_counted(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with sidecar_before(upstream.url) as sidecar:
        ask_often(sidecar, 5)
        wait_for(lambda: forwarded(scrape(sidecar.port)) == 5)
        kept = scrape(sidecar.port)
        assert kept.value("chatproxy_upstream_connections_opened_total") == 1
        assert kept.value("chatproxy_upstream_connections_reused_total") == 4
        assert kept.value("chatproxy_upstream_connections", provider="stream") == 1
        assert kept.value("chatproxy_upstream_idle_connections", provider="stream") == 1
        assert kept.value("chatproxy_upstream_connect_seconds_count") == 1

        ask(sidecar.port, get("/proxy/_sandbox/echo", "X-Sandbox-Fault: reset"))
        wait_for(lambda: scrape(sidecar.port).value("chatproxy_upstream_connections") == 0)
        gone = scrape(sidecar.port)
        closed = gone.value("chatproxy_upstream_connections_closed_total")
        assert closed == gone.value("chatproxy_upstream_connections_opened_total")
        assert gone.value("chatproxy_upstream_idle_connections") == 0


def test_callers_connections_are_counted(sidecar: Sidecar) -> None:
    def there() -> float:
        return scrape(sidecar.port).value("chatproxy_connections")

    wait_for(lambda: there() == 1)

    with connected(sidecar.port), connected(sidecar.port):
        wait_for(lambda: there() == 3)

    wait_for(lambda: there() == 1)


def test_a_scrape_among_many_callers_is_answered(three: Sidecar) -> None:
    threads = [threading.Thread(target=ask_often, args=(three, 40)) for _ in range(4)]

    for thread in threads:
        thread.start()

    values = [forwarded(scrape(three.port)) for _ in range(30)]

    for thread in threads:
        thread.join()

    assert values == sorted(values)
    wait_for(lambda: forwarded(scrape(three.port)) == 160)


def test_a_stop_that_was_announced_shows(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with sidecar_before(upstream.url, DRAIN_SECONDS="20") as sidecar:
        assert scrape(sidecar.port).value("chatproxy_draining") == 0
        sidecar.process.send_signal(signal.SIGTERM)
        wait_for(lambda: scrape(sidecar.port).value("chatproxy_draining") == 1)
        sidecar.process.send_signal(signal.SIGTERM)  # the second ends it at once


def test_a_folder_for_prometheus_clients_own_files_is_left_alone(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], tmp_path: Path
) -> None:
    folder = str(tmp_path)

    with sidecar_before(upstream.url, WORKERS="2", PROMETHEUS_MULTIPROC_DIR=folder) as sidecar:
        ask_often(sidecar, 10)
        wait_for(lambda: forwarded(scrape(sidecar.port)) == 10)

    assert list(tmp_path.iterdir()) == []
