"""Kept connections that died without a word: one caller finds out, not each."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.upstream.nat import Nat
from tests.wire import answer_on, ask, connected, get, post

ECHO = "/proxy/_sandbox/echo"
KEPT = 5


@pytest.fixture(scope="module")
def nat(upstream: StreamUpstream) -> Iterator[Nat]:
    with Nat(upstream.port) as between:
        yield between


@pytest.fixture(scope="module")
def running(nat: Nat, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    with sidecar_before(nat.url, UPSTREAM_READ_TIMEOUT="2") as sidecar:
        yield sidecar


@pytest.fixture
def behind(nat: Nat, running: Sidecar) -> Sidecar:
    """A sidecar that has kept a few connections through the NAT, and none of another test."""
    nat.end()
    keep(running, KEPT)
    assert len(nat.flows) == KEPT
    return running


def keep(sidecar: Sidecar, count: int) -> None:
    """Have so many calls under way at once, each on a connection of its own."""
    slow = get(ECHO, "X-Sandbox-Fault: slow=1")
    callers = [threading.Thread(target=ask, args=(sidecar.port, slow)) for _ in range(count)]

    for caller in callers:
        caller.start()

    for caller in callers:
        caller.join()


def test_those_idle_for_longer_go_with_one_that_is_silent(nat: Nat, behind: Sidecar) -> None:
    nat.forget()

    assert ask(behind.port, get(ECHO)).status == 504
    assert ask(behind.port, get(ECHO)).status == 200
    assert len(nat.flows) == KEPT + 1


def test_they_go_where_the_caller_does_not_wait_for_the_limit(nat: Nat, behind: Sidecar) -> None:
    nat.forget()

    with connected(behind.port) as sock:
        sock.sendall(get(ECHO))
        time.sleep(0.2)

    behind.wait_for_line(path=ECHO, status=499)  # of this file's tests it alone leaves
    assert ask(behind.port, get(ECHO)).status == 200


def test_they_go_with_one_that_is_reset(nat: Nat, behind: Sidecar) -> None:
    """A POST that was sent must not go again, so each of them would cost a caller its call."""
    nat.forget("reset")

    assert ask(behind.port, post(ECHO, b"{}")).status == 502
    assert ask(behind.port, post(ECHO, b"{}")).status == 200


def test_one_that_answers_late_costs_no_other(
    nat: Nat, behind: Sidecar, upstream: StreamUpstream
) -> None:
    assert ask(behind.port, get(ECHO, "X-Sandbox-Fault: slow=1.2")).status == 200
    keep(behind, KEPT)

    assert len(nat.flows) == KEPT
    assert len({one.connection for one in upstream.journal}) == KEPT


@pytest.mark.parametrize(("then", "status"), [("never", 504), ("reset", 502)])
def test_one_whose_answer_had_begun_costs_no_other(
    nat: Nat, behind: Sidecar, then: str, status: int
) -> None:
    assert ask(behind.port, get(ECHO, f"X-Sandbox-Fault: interim=103; {then}")).status == status
    keep(behind, KEPT)

    assert len(nat.flows) == KEPT + 1


def test_a_caller_that_cuts_its_upload_costs_no_other(nat: Nat, behind: Sidecar) -> None:
    """Not even where the call before it, on the same connection, was waited for."""
    assert ask(behind.port, get(ECHO, "X-Sandbox-Fault: slow=1.2")).status == 200
    half = get(ECHO, "Content-Length: 10", method="POST") + b"half"
    assert ask(behind.port, half, half_close=True).status == 400
    keep(behind, KEPT)

    assert len(nat.flows) == KEPT + 1


def test_a_fresh_one_that_is_silent_costs_no_other(nat: Nat, behind: Sidecar) -> None:
    """The kept ones are all in use while another one is opened; then they come back."""
    with connected(behind.port) as sock:
        holders = threading.Thread(target=keep, args=(behind, KEPT))
        holders.start()
        time.sleep(0.5)
        sock.sendall(get(ECHO, "X-Sandbox-Fault: never"))
        holders.join()
        assert answer_on(sock).status == 504

    keep(behind, KEPT)
    assert len(nat.flows) == KEPT + 1
