"""When the upstream fails: which status, how soon, and that a part never passes for the whole."""

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable

import pytest

from chatproxy.forwarding import location_for_caller
from chatproxy.forwarding.credentials import Credentials
from chatproxy.forwarding.target import Upstream
from tests.forwarding.addresses import dead_address
from tests.sidecar import Sidecar, free_port
from tests.upstream import StreamUpstream
from tests.wire import RawAnswer, answer_on, ask, connected, get, post

FAULT = "X-Sandbox-Fault: "
ENVELOPE = {"code", "message", "StatusCode", "duration", "more_info", "details"}

BeforeUrl = Callable[..., Sidecar]


def envelope(answer: RawAnswer) -> dict[str, object]:
    found: dict[str, object] = json.loads(answer.body)
    assert set(found) == ENVELOPE
    assert found["StatusCode"] == answer.status
    return found


def test_a_refused_connection_is_502_without_the_address(sidecar_before: BeforeUrl) -> None:
    port = free_port()

    with sidecar_before(f"http://127.0.0.1:{port}/inner") as sidecar:
        answer = ask(sidecar.port, post("/proxy/users", b"{}"))
        line = sidecar.wait_for_line(path="/proxy/users")

    assert envelope(answer)["code"] == -1
    assert answer.status == 502
    assert str(port).encode() not in answer.body
    assert b"127.0.0.1" not in answer.body
    assert line["brokenBy"] == "upstream"
    assert "refused" in line["error"]["detail"]


def test_an_unknown_name_is_502(sidecar_before: BeforeUrl) -> None:
    with sidecar_before("http://no-such-name.invalid") as sidecar:
        answer = ask(sidecar.port, get("/proxy/app"))

    assert answer.status == 502
    assert b"invalid" not in answer.body.replace(b"more_info", b"")


def test_an_upstream_that_speaks_no_tls_is_502(sidecar_before: BeforeUrl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as plain:
        threading.Thread(target=_say_no_tls, args=(plain,), daemon=True).start()

        with sidecar_before(f"https://127.0.0.1:{plain.getsockname()[1]}") as sidecar:
            answer = ask(sidecar.port, get("/proxy/app"))

    assert answer.status == 502


def test_a_full_backlog_is_504_at_the_connect_limit(sidecar_before: BeforeUrl) -> None:
    with dead_address() as (host, port):
        url = f"http://{host}:{port}"

        with sidecar_before(url, UPSTREAM_CONNECT_TIMEOUT="1") as sidecar:
            seconds, answer = _timed(sidecar, get("/proxy/app"))

    assert answer.status == 504
    assert envelope(answer)["code"] == 23
    assert 0.9 < seconds < 3


@pytest.mark.parametrize(
    ("fault", "status", "at_least"),
    [("never", 504, 2.8), ("drip-head=0.4", 504, 4.5), ("reset", 502, 0)],
)
def test_no_usable_head_gives(sidecar: Sidecar, fault: str, status: int, at_least: float) -> None:
    seconds, answer = _timed(sidecar, get("/proxy/_sandbox/echo", FAULT + fault))

    assert answer.status == status
    assert envelope(answer)
    assert at_least <= seconds < 6.5


@pytest.mark.parametrize(
    "fault",
    [
        "bad-header",
        "nul-header",
        "huge-header",
        "many-headers",
        "two-lengths",
        "switch",
        "status-line=junk",
        "status-line=HTTP/1.1 99 Low",
    ],
)
def test_an_answer_that_is_not_http_is_502(sidecar: Sidecar, fault: str) -> None:
    answer = ask(sidecar.port, get("/proxy/_sandbox/echo", FAULT + fault))

    assert answer.status == 502
    assert envelope(answer)


@pytest.mark.parametrize(
    "fault", ["cut=sized", "cut=chunked", "cut=bad-chunk", "reset-body", "stall-body"]
)
@pytest.mark.parametrize("size", [10, 300_000])
def test_an_answer_that_breaks_off_is_cut_not_ended(
    sidecar: Sidecar, fault: str, size: int
) -> None:
    answer = ask(sidecar.port, get(f"/proxy/_sandbox/bytes?size={size}", FAULT + fault))

    assert (answer.status, answer.complete) == (200, False)


def test_a_broken_answer_is_laid_to_the_upstream_in_one_line(
    upstream: StreamUpstream, sidecar_before: BeforeUrl
) -> None:
    with sidecar_before(upstream.url, LOG_LEVEL="info") as sidecar:
        ask(sidecar.port, get("/proxy/_sandbox/bytes?size=300000", FAULT + "cut=sized"))
        line = sidecar.wait_for_line(path="/proxy/_sandbox/bytes")
        errors = [one for one in sidecar.lines() if one["level"] >= 50]

    assert line["brokenBy"] == "upstream"
    assert line["error"]["type"] == "AnswerBroken"
    assert errors == []


def test_an_http_1_0_caller_sees_a_broken_answer_as_a_reset(sidecar: Sidecar) -> None:
    request = (
        b"GET /proxy/_sandbox/bytes?size=300000&chunked=1 HTTP/1.0\r\n"
        b"X-Sandbox-Fault: cut=chunked\r\n\r\n"
    )

    with connected(sidecar.port) as sock:
        sock.sendall(request)

        with pytest.raises(ConnectionResetError):
            b"".join(iter(lambda: sock.recv(65536), b""))


def test_an_answer_without_length_is_relayed_to_its_end(sidecar: Sidecar) -> None:
    answer = ask(sidecar.port, get("/proxy/_sandbox/bytes?size=300000", FAULT + "no-length"))

    assert (answer.status, len(answer.body), answer.complete) == (200, 300_000, True)


@pytest.mark.parametrize("status", ["400", "401", "404", "429", "500", "503", "999"])
def test_a_status_is_passed_on_and_never_retried(
    sidecar: Sidecar, upstream: StreamUpstream, status: str
) -> None:
    answer = ask(
        sidecar.port, get("/proxy/_sandbox/echo", f"{FAULT}status-line=HTTP/1.1 {status} Odd")
    )

    assert (answer.status, answer.reason) == (int(status), "Odd")
    assert len(upstream.journal) == 1


def test_a_redirect_is_passed_on_and_leads_back_here(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    there = f"{upstream.url}/app?api_key=canarykey8f3a1c%26x=1"
    answer = ask(sidecar.port, get("/proxy/_sandbox/echo", f"{FAULT}redirect={there}"))

    assert answer.status == 302
    assert answer.header("Location") == "/proxy/app?x=1"
    assert len(upstream.journal) == 1


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_kept_connection_that_was_closed_is_not_noticed(
    sidecar: Sidecar, upstream: StreamUpstream, method: str
) -> None:
    target = "/proxy/_sandbox/echo"
    assert ask(sidecar.port, get(target, FAULT + "close")).status == 200
    time.sleep(0.2)
    request = get(target) if method == "GET" else post(target, b"{}")

    assert ask(sidecar.port, request).status == 200
    assert len({one.connection for one in upstream.journal}) == 2


def test_a_get_goes_again_where_a_kept_connection_ends_without_an_answer(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    assert ask(sidecar.port, get("/proxy/_sandbox/echo")).status == 200
    upstream.faults.next("eof")

    assert ask(sidecar.port, get("/proxy/_sandbox/echo")).status == 200
    assert len(upstream.journal) == 3


def test_a_post_never_goes_again_once_it_was_sent(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    assert ask(sidecar.port, get("/proxy/_sandbox/echo")).status == 200
    upstream.faults.next("eof")

    assert ask(sidecar.port, post("/proxy/_sandbox/echo", b"{}")).status == 502
    assert len(upstream.journal) == 2


def test_a_body_above_the_limit_is_413_before_a_byte_goes_out(
    upstream: StreamUpstream, sidecar_before: BeforeUrl
) -> None:
    with sidecar_before(upstream.url, MAX_BODY_BYTES="1000") as sidecar:
        declared = ask(sidecar.port, get("/proxy/x", "Content-Length: 1001", method="POST"))
        assert len(upstream.journal) == 0
        chunks = b"400\r\n" + b"x" * 1024 + b"\r\n0\r\n\r\n"
        head = get("/proxy/_sandbox/echo", "Transfer-Encoding: chunked", method="POST")
        streamed = ask(sidecar.port, head + chunks)

    assert (declared.status, streamed.status) == (413, 413)
    assert envelope(declared)["code"] == envelope(streamed)["code"] == 22
    assert [one.complete for one in upstream.journal] == [False]


def test_a_caller_who_stalls_in_its_body_gets_408(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    head = get("/proxy/_sandbox/echo", "Content-Length: 10", method="POST")
    seconds, answer = _timed(sidecar, head + b"abc")
    entry = upstream.journal.wait_for(lambda one: one.ended.is_set())

    assert answer.status == 408
    assert 2.8 < seconds < 5
    assert not entry.complete


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "rst"])
def test_a_caller_who_leaves_while_the_upstream_thinks_ends_the_call_within_a_second(
    sidecar: Sidecar, upstream: StreamUpstream, reset: bool
) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(get("/proxy/_sandbox/echo", FAULT + "never"))
        entry = upstream.journal.wait_for(lambda one: one.complete)
        time.sleep(0.1)

        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    left = time.monotonic()
    upstream.journal.wait_for(lambda one: one.peer_left_at is not None, timeout=2)

    assert entry.peer_left_at is not None
    assert entry.peer_left_at - left < 1.2
    line = sidecar.wait_for_line(path="/proxy/_sandbox/echo", status=499)
    assert line["brokenBy"] == "caller"


def test_a_caller_who_leaves_in_mid_download_ends_the_call_within_a_second(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(get("/proxy/_sandbox/bytes?size=100000000"))
        sock.recv(1000)

    left = time.monotonic()
    entry = upstream.journal.wait_for(lambda one: one.closed_at is not None, timeout=3)
    assert entry.closed_at is not None
    assert entry.closed_at - left < 1.2


def test_a_caller_who_leaves_in_mid_upload_leaves_it_cut(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(get("/proxy/_sandbox/echo", "Content-Length: 100", method="POST") + b"x" * 50)
        upstream.journal.wait_for(lambda one: one.body_size == 50)

    left = time.monotonic()
    entry = upstream.journal.wait_for(lambda one: one.closed_at is not None, timeout=3)
    assert entry.closed_at is not None
    assert entry.closed_at - left < 1.2
    assert not entry.complete
    assert sidecar.wait_for_line(path="/proxy/_sandbox/echo", status=499)["brokenBy"] == "caller"


def test_a_caller_that_cuts_its_upload_and_waits_is_told(sidecar: Sidecar) -> None:
    head = get("/proxy/_sandbox/echo", "Content-Length: 100", method="POST")
    answer = ask(sidecar.port, head + b"x" * 50, half_close=True)

    assert answer.status == 400
    assert envelope(answer)["code"] == 4


def test_other_callers_are_served_while_a_big_body_moves(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as big:
        big.sendall(get("/proxy/_sandbox/bytes?size=1000000000"))
        reader = threading.Thread(target=_drain, args=(big,), daemon=True)
        reader.start()
        time.sleep(0.2)
        waits = [_timed(sidecar, get("/proxy/_sandbox/echo"))[0] for _ in range(10)]

    assert sorted(waits)[5] < 0.5


def test_a_refused_credential_is_loud_and_shown_until_one_is_accepted(
    upstream: StreamUpstream, sidecar_before: BeforeUrl
) -> None:
    with sidecar_before(upstream.url) as sidecar:
        for _ in range(3):
            assert ask(sidecar.port, get("/proxy/app", FAULT + "status=401")).status == 401

        ready = ask(sidecar.port, get("/-/ready"))
        loud = [line for line in sidecar.lines() if line["level"] == 60]
        assert ask(sidecar.port, get("/proxy/app")).status == 200
        again = ask(sidecar.port, get("/-/ready"))

    assert ready.status == 200
    assert json.loads(ready.body)["credentials"] == {"stream": "refused by the provider"}
    assert len(loud) == 1
    assert "credentials" not in json.loads(again.body)


def test_a_caller_who_leaves_a_stuck_upload_is_the_one_to_blame(
    sidecar_before: BeforeUrl,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as never_reads:
        url = f"http://127.0.0.1:{never_reads.getsockname()[1]}"

        with sidecar_before(url) as sidecar:
            with connected(sidecar.port) as sock:
                sock.sendall(get("/proxy/x", "Content-Length: 90000000", method="POST"))
                sock.settimeout(1)

                with contextlib.suppress(TimeoutError):
                    sock.sendall(b"x" * 90_000_000)

            line = sidecar.wait_for_line(path="/proxy/x", within=3)

    assert line["http"]["response"]["statusCode"] == 499
    assert line["brokenBy"] == "caller"


def test_a_body_has_a_ceiling_whatever_it_drips(
    upstream: StreamUpstream, sidecar_before: BeforeUrl
) -> None:
    with sidecar_before(upstream.url, BODY_TOTAL_TIMEOUT="1") as sidecar:
        with connected(sidecar.port) as sock:
            sock.sendall(get("/proxy/_sandbox/echo", "Transfer-Encoding: chunked", method="POST"))
            sock.sendall(b"5;")
            dripping = threading.Thread(target=_drip, args=(sock,), daemon=True)
            dripping.start()
            assert answer_on(sock).status == 408

        answer = ask(sidecar.port, get("/proxy/_sandbox/drip?pieces=20&seconds=0.3"))

    assert (answer.status, answer.complete) == (200, False)


def test_a_slow_upload_is_not_cut_by_the_limit_on_headers(sidecar_before: BeforeUrl) -> None:
    with socket.create_server(("127.0.0.1", 0)) as slow:
        threading.Thread(target=_take_slowly, args=(slow, 3.0), daemon=True).start()
        url = f"http://127.0.0.1:{slow.getsockname()[1]}"

        with sidecar_before(url, UPSTREAM_TOTAL_TIMEOUT="1", UPSTREAM_READ_TIMEOUT="1") as sidecar:
            answer = ask(sidecar.port, post("/proxy/x", b"x" * 30_000_000))

    assert answer.status == 200


@pytest.mark.parametrize("target", ["/proxy/_sandbox/echo", "/webhook/verify"])
def test_tiny_chunks_leave_the_others_their_turn(sidecar: Sidecar, target: str) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(get(target, "Transfer-Encoding: chunked", method="POST"))
        sender = threading.Thread(target=_send_tiny_chunks, args=(sock,), daemon=True)
        sender.start()
        time.sleep(0.3)
        waits = [_timed(sidecar, get("/-/healthz"))[0] for _ in range(5)]

    assert sorted(waits)[2] < 0.5


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("BASE/x?a=1", "/proxy/x?a=1"),
        ("/base/x", "/proxy/x"),
        ("//HOST/base/x", "/proxy/x"),
        ("HTTP://HOST/base/x", "/proxy/x"),
        ("http://user:pw@HOST/base/x", "/proxy/x"),
        ("/basement/x", None),
        ("http://HOST/other", None),
        ("https://elsewhere.example/x?api_key=other", "https://elsewhere.example/x"),
        ("https://elsewhere.example/x#canarykey8f3a1c", None),
        ("x/y", "x/y"),
    ],
)
def test_a_location_leads_back_here_or_is_left_out(location: str, expected: str | None) -> None:
    upstream = Upstream.at("http://127.0.0.1:8000/base")
    credentials = Credentials([("api_key", "canarykey8f3a1c")], [], frozenset({"api_key"}))
    given = location.replace("BASE", "http://HOST/base").replace("HOST", "127.0.0.1:8000")

    assert location_for_caller(given, upstream, credentials, "/proxy") == expected


def _timed(sidecar: Sidecar, request: bytes) -> tuple[float, RawAnswer]:
    started = time.monotonic()
    answer = ask(sidecar.port, request)
    return time.monotonic() - started, answer


def _drain(sock: socket.socket) -> None:
    try:
        while sock.recv(65536):
            pass
    except OSError:
        pass


def _say_no_tls(plain: socket.socket) -> None:
    sock, _ = plain.accept()

    with sock:
        sock.recv(1000)
        sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def _drip(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for _ in range(50):
            time.sleep(0.2)
            sock.sendall(b"x")


def _send_tiny_chunks(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        for _ in range(200):
            sock.sendall(b"1\r\na\r\n" * 5000)


def _take_slowly(listener: socket.socket, seconds: float) -> None:
    """Read a head, wait, read the body, answer."""
    sock, _ = listener.accept()

    with sock, sock.makefile("rb") as read:
        length = 0

        while (line := read.readline()) != b"\r\n":
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])

        time.sleep(seconds)
        read.read(length)
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


@pytest.mark.parametrize("status", [299, 599, 799])
def test_a_status_that_has_no_name_passes(sidecar: Sidecar, status: int) -> None:
    line = f"X-Sandbox-Fault: status-line=HTTP/1.1 {status} "
    answer = ask(sidecar.port, get("/proxy/app", line))

    assert (answer.status, answer.reason) == (status, "")
