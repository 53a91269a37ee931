"""The page of a real server with two workers: what both saw, and what its loads ask."""

import concurrent.futures
import time

from chatproxy.web.console.checks import FRESH
from tests.calls import call
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream

PATH = "/-/console"


def page_of(port: int, *fields: str) -> str:
    reply = call(port, "GET", PATH, *fields)
    assert reply.status == 200, reply.raw.body
    return reply.raw.body.decode()


def seen_until(port: int, text: str) -> str:
    """Load the page until it has a text; return it."""
    until = time.monotonic() + 30

    while text not in (page := page_of(port)):
        assert time.monotonic() < until, text
        time.sleep(0.1)

    return page


def test_faults_of_both_workers_are_on_every_page(
    shared: tuple[Sidecar, int], upstream: StreamUpstream
) -> None:
    sidecar, status = shared
    names = [f"fault-{number}" for number in range(16)]

    def fail(name: str) -> int:
        fields = (f"X-Request-Id: {name}", "X-Sandbox-Fault: status=503")
        return call(sidecar.port, "GET", "/proxy/app?user_id=canary", *fields).status

    with concurrent.futures.ThreadPoolExecutor(8) as people:
        assert set(people.map(fail, names)) == {503}

    call(sidecar.port, "GET", "/proxy/app", "X-Request-Id: reset", "X-Sandbox-Fault: reset")

    for name in (*names, "reset"):
        seen_until(status, name)

    for _ in range(12):  # whichever worker answers
        page = page_of(status)
        assert [one for one in [*names, "reset"] if f"<code>{one}</code>" not in page] == []

    assert "The provider answered 503." in page
    assert "UpstreamBroken" in page
    assert "user_id" not in page


def test_many_loads_ask_the_provider_once_for_each_worker_at_most(
    shared: tuple[Sidecar, int], upstream: StreamUpstream
) -> None:
    _, status = shared
    began = time.monotonic()

    with concurrent.futures.ThreadPoolExecutor(10) as people:
        list(people.map(lambda _: page_of(status), range(60)))

    seen_until(status, '<span class="mark good">accepted</span>')
    rounds = 1 + (time.monotonic() - began) // FRESH
    assert len(upstream.journal) <= 2 * rounds


def test_it_says_since_when_and_how_much(shared: tuple[Sidecar, int]) -> None:
    sidecar, status = shared
    assert call(sidecar.port, "GET", "/token/canary").status == 201
    page = page_of(status)

    assert "· since <time datetime=" in page
    assert "WORKERS</code>" in page
    assert f"at port {sidecar.port}: /documentation" in page


def test_it_is_at_the_status_door_only(shared: tuple[Sidecar, int]) -> None:
    sidecar, status = shared

    assert call(sidecar.port, "GET", PATH).status == 404
    assert call(status, "GET", PATH, "Origin: https://elsewhere.example").status == 403
    assert call(status, "GET", PATH, "Sec-Fetch-Site: cross-site").status == 403
    assert call(status, "POST", PATH).status == 405
    assert call(status, "HEAD", PATH).raw.body == b""


def test_a_hostile_request_id_is_a_text(shared: tuple[Sidecar, int]) -> None:
    sidecar, status = shared
    name = "</code><script>alert(1)</script>"
    call(sidecar.port, "GET", "/proxy/app", f"X-Request-Id: {name}", "X-Sandbox-Fault: status=500")
    page = seen_until(status, "alert(1)")

    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_its_loads_leave_no_line_and_no_secret(shared: tuple[Sidecar, int]) -> None:
    """What it holds of secrets is tried in `test_page`; this is a real server's output."""
    sidecar, status = shared
    before = len(sidecar.completed())
    page = page_of(status)

    assert len(sidecar.completed()) == before
    assert "canary" not in page
