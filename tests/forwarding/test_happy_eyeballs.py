"""A name with several addresses: the first that is ready wins, and the others are closed."""

import contextlib
import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from chatproxy.errors import UpstreamTimeout, UpstreamUnreachable
from chatproxy.forwarding.attempts import (
    DELAY,
    MOST_AT_ONCE,
    Attempt,
    NoneReady,
    Race,
    Steps,
    interleaved,
)
from chatproxy.forwarding.connect import Connector
from chatproxy.forwarding.target import Upstream
from chatproxy.forwarding.timeouts import Deadline, Limits
from chatproxy.settings.files import MountedFile
from tests.forwarding.addresses import (
    NamedSidecar,
    Place,
    dead_address,
    found,
    resolve_to,
    write_places,
)
from tests.sidecar import Sidecar, free_port
from tests.stopwatch import Stopwatch
from tests.upstream import StreamUpstream
from tests.wire import ask, get

V4, V6 = socket.AF_INET, socket.AF_INET6


@pytest.fixture
def dead() -> Iterator[Place]:
    with dead_address() as place:
        yield place


@pytest.fixture
def living() -> Iterator[Place]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()


@pytest.fixture
def refusing() -> Place:
    return ("127.0.0.1", free_port())


@pytest.fixture
def secure(authority: tuple[trustme.CA, Path]) -> Iterator[Place]:
    with tls_server(authority[0]) as place:
        yield place


def test_the_next_address_is_tried_soon_where_one_is_silent(
    monkeypatch: pytest.MonkeyPatch, dead: Place, living: Place
) -> None:
    resolve_to(monkeypatch, dead, living)
    with connected(limit=30) as (seconds, place):
        assert place == living
        assert 0.2 < seconds < 5


def test_the_next_address_is_tried_at_once_where_one_fails(
    monkeypatch: pytest.MonkeyPatch, living: Place
) -> None:
    refusing = [("127.0.0.1", free_port()) for _ in range(8)]
    resolve_to(monkeypatch, *refusing, living)

    with connected(limit=30) as (seconds, place):
        assert place == living
        assert seconds < 6 * DELAY


def test_a_family_that_the_machine_does_not_know_is_one_failure(
    monkeypatch: pytest.MonkeyPatch, living: Place
) -> None:
    entries = [found(living, socket.AF_APPLETALK), found(living)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: entries)
    with connected(limit=30) as (_, place):
        assert place == living


def test_each_of_many_addresses_has_its_turn_within_the_limit(
    monkeypatch: pytest.MonkeyPatch, living: Place
) -> None:
    with contextlib.ExitStack() as stack:
        silent = [stack.enter_context(dead_address()) for _ in range(40)]
        resolve_to(monkeypatch, *silent, living)
        with connected(limit=4) as (_, place):
            assert place == living


@pytest.mark.parametrize("silent", [1, 3])
def test_where_all_are_silent_the_limit_is_the_same(
    monkeypatch: pytest.MonkeyPatch, silent: int
) -> None:
    with contextlib.ExitStack() as stack:
        resolve_to(monkeypatch, *[stack.enter_context(dead_address()) for _ in range(silent)])
        started = time.monotonic()

        with pytest.raises(UpstreamTimeout) as caught, connected(limit=0.6):
            pass

    assert 0.5 < time.monotonic() - started < 3
    assert caught.value.detail.count("no answer in time") == silent


def test_one_message_names_what_every_address_did(
    monkeypatch: pytest.MonkeyPatch, dead: Place, refusing: Place
) -> None:
    resolve_to(monkeypatch, refusing, dead)

    with pytest.raises(UpstreamTimeout) as caught, connected(limit=0.6):
        pass

    assert caught.value.message == "The chat provider could not be reached in time."
    assert caught.value.detail == ("127.0.0.1: Connection refused; 127.0.0.1: no answer in time")


def test_a_handshake_that_stalls_at_one_address_is_passed_by(
    monkeypatch: pytest.MonkeyPatch,
    living: Place,
    secure: Place,
    authority: tuple[trustme.CA, Path],
) -> None:
    """Behind an address that takes connections there may be nobody."""
    resolve_to(monkeypatch, living, secure)
    with connected(limit=30, ca_file=authority[1]) as (seconds, place):
        assert place == secure
        assert seconds < 5


def test_a_certificate_that_fails_at_one_address_is_passed_by(
    monkeypatch: pytest.MonkeyPatch, secure: Place, authority: tuple[trustme.CA, Path]
) -> None:
    with tls_server(trustme.CA()) as foreign:
        resolve_to(monkeypatch, foreign, secure)
        with connected(limit=30, ca_file=authority[1]) as (seconds, place):
            assert place == secure
            assert seconds < 5


def test_a_certificate_that_fails_everywhere_is_what_is_told(
    monkeypatch: pytest.MonkeyPatch,
    dead: Place,
    refusing: Place,
    authority: tuple[trustme.CA, Path],
) -> None:
    with tls_server(trustme.CA()) as foreign:
        resolve_to(monkeypatch, refusing, foreign, dead)

        with pytest.raises(UpstreamUnreachable) as caught, connected(limit=1, ca_file=authority[1]):
            pass

    assert caught.value.message == "No secure connection to the chat provider."
    assert "CERTIFICATE_VERIFY_FAILED" in caught.value.detail
    assert "refused" in caught.value.detail


def test_a_handshake_has_as_long_as_the_connection_before_it(clock: Stopwatch) -> None:
    """Else every connection to a provider far away would be made twice."""
    begun = []
    near, far = socket.socketpair()
    far.sendall(b"readable")

    def far_away() -> Steps:
        yield near, select.POLLOUT
        clock.now += 0.8 * DELAY
        yield near, select.POLLIN
        clock.now += 0.8 * DELAY
        yield near, select.POLLIN
        return near

    def second() -> Steps:
        begun.append("second")
        yield near, select.POLLPRI
        return near

    with near, far:
        race = Race([Attempt("far", far_away()), Attempt("second", second())], 30, clock)
        assert race.run() is near

    assert begun == []


def test_one_that_becomes_due_while_the_clock_is_read_is_not_waited_for() -> None:
    """A time limit of less than 0 would be none at all, beside an address where nobody answers."""
    near, far = socket.socketpair()
    won: list[socket.socket] = []

    class Leaping(Stopwatch):
        def __call__(self) -> float:
            self.now += 0.6 * DELAY
            return self.now

    def silent() -> Steps:
        yield near, select.POLLIN
        return near

    def second() -> Steps:
        yield far, select.POLLOUT
        return far

    with near, far:
        race = Race([Attempt("dead", silent()), Attempt("second", second())], 30, Leaping())
        # In a thread of its own, so that a wait without end fails this test alone.
        running = threading.Thread(target=lambda: won.append(race.run()), daemon=True)
        running.start()
        running.join(10)
        assert won == [far]


def test_only_so_many_are_open_at_once() -> None:
    sizes = []
    opened: set[int] = set()

    def silent(number: int) -> Steps:
        near, far = socket.socketpair()
        opened.add(number)
        sizes.append(len(opened))

        with near, far:
            try:
                yield near, select.POLLIN
            finally:
                opened.remove(number)

        return near

    attempts = [Attempt(str(number), silent(number)) for number in range(2 * MOST_AT_ONCE)]

    with pytest.raises(NoneReady) as caught:
        Race(attempts, time.monotonic() + 1, time.monotonic).run()

    assert max(sizes) == MOST_AT_ONCE
    assert len(caught.value.failures) == 2 * MOST_AT_ONCE


@pytest.mark.parametrize(
    ("order", "wanted"),
    [("6644", "6464"), ("4466", "4646"), ("66664", "64666"), ("44", "44"), ("", "")],
)
def test_the_families_take_turns(order: str, wanted: str) -> None:
    entries = [
        found((str(number), 80), V6 if one == "6" else V4) for number, one in enumerate(order)
    ]
    turned = interleaved(entries)

    assert "".join("6" if entry[0] == V6 else "4" for entry in turned) == wanted
    # Within a family the resolver's order stays.
    for family in (V4, V6):
        assert [one for one in turned if one[0] == family] == [
            one for one in entries if one[0] == family
        ]


def test_an_address_that_is_found_twice_is_tried_once() -> None:
    assert interleaved([found(("::1", 80), V6)] * 2) == [found(("::1", 80), V6)]


def test_a_callers_request_takes_the_living_address(
    dead: Place,
    upstream: StreamUpstream,
    sidecar_before: Callable[..., Sidecar],
    tmp_path: Path,
) -> None:
    places = tmp_path / "places"
    write_places(places, dead, ("127.0.0.1", upstream.port))
    made = sidecar_before("http://chat.example", PLACES=str(places), UPSTREAM_CONNECT_TIMEOUT="30")

    with NamedSidecar(made.output, made.environ) as sidecar:
        started = time.monotonic()
        answer = ask(sidecar.port, get("/proxy/_sandbox/echo"))
        seconds = time.monotonic() - started

    assert answer.status == 200
    assert 0.2 < seconds < 10


@contextlib.contextmanager
def connected(limit: float, ca_file: Path | None = None) -> Iterator[tuple[float, Place]]:
    """Connect to a name; yield how long it took, and the place. No socket may be left then."""
    limits = Limits(connect=limit, read=1, total=60, body_idle=1, body_total=1, body_bytes=1)
    url = "http://localhost" if ca_file is None else "https://localhost"
    trusted = None if ca_file is None else MountedFile(str(ca_file), ca_file.read_bytes())
    connector = Connector(Upstream.at(url), trusted)
    before = _sockets()
    started = time.monotonic()

    try:
        connection = connector.connect(Deadline(limits, time.monotonic))
        seconds = time.monotonic() - started

        with socket.socket(fileno=os.dup(connection.fileno())) as sock:
            place: Place = sock.getpeername()

        yield seconds, place
        connection.close()
    finally:
        connector.close()
        _wait_until_closed(before)


@contextlib.contextmanager
def tls_server(issuer: trustme.CA) -> Iterator[Place]:
    """Yield the place of a server for `localhost`, with a certificate of this authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issuer.issue_cert("localhost").configure_cert(context)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=_shake_hands, args=(listener, context), daemon=True)
        server.start()
        yield listener.getsockname()
        listener.shutdown(socket.SHUT_RDWR)
        server.join(5)


def _shake_hands(listener: socket.socket, context: ssl.SSLContext) -> None:
    while True:
        try:
            accepted, _ = listener.accept()
        except OSError:
            return

        with contextlib.suppress(OSError), context.wrap_socket(accepted, server_side=True) as near:
            near.settimeout(5)
            near.recv(1)


def _wait_until_closed(before: set[str]) -> None:
    # The server's end is closed a moment later.
    until = time.monotonic() + 5

    while (left := _sockets() - before) and time.monotonic() < until:
        time.sleep(0.01)

    assert left == set()


def _sockets() -> set[str]:
    """The sockets that this process holds."""
    names = (os.path.join("/proc/self/fd", name) for name in os.listdir("/proc/self/fd"))
    found = set()

    for name in names:
        with contextlib.suppress(OSError):
            if (link := os.readlink(name)).startswith("socket:"):
                found.add(link)

    return found
