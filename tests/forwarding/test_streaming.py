"""Bytes cross as they come, in both directions, over real sockets."""

import hashlib
import json
import socket
import time

import pytest

from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import answer_on, ask, chunked, connected, get, post

FAULT = "X-Sandbox-Fault: "


def test_small_pieces_of_a_chunked_upload_arrive_before_the_next_is_sent(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(get("/proxy/_sandbox/echo", "Transfer-Encoding: chunked", method="POST"))
        sock.sendall(b"5\r\nhello\r\n")
        upstream.journal.wait_for(lambda one: one.body_size == 5, timeout=2)
        sock.sendall(b"6\r\n world\r\n0\r\n\r\n")
        answer = json.loads(answer_on(sock).body)

    assert (answer["size"], answer["framing"]) == (11, "chunked")


def test_small_pieces_of_a_sized_upload_arrive_before_the_next_is_sent(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(get("/proxy/_sandbox/echo", "Content-Length: 11", method="PUT") + b"hello")
        upstream.journal.wait_for(lambda one: one.body_size == 5, timeout=2)
        sock.sendall(b" world")
        answer = json.loads(answer_on(sock).body)

    assert (answer["size"], answer["framing"]) == (11, "sized")
    assert answer["sha256"] == hashlib.sha256(b"hello world").hexdigest()


def test_pieces_of_an_answer_arrive_before_the_next_is_sent(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as sock:
        started = time.monotonic()
        sock.sendall(get("/proxy/_sandbox/drip?pieces=3&seconds=0.6"))
        first = sock.recv(65536)
        waited = time.monotonic() - started

    assert first.startswith(b"HTTP/1.1 200 OK")
    assert waited < 0.6


def test_the_head_of_an_answer_does_not_wait_for_its_body(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(get("/proxy/_sandbox/bytes?size=1000", FAULT + "stall-body"))
        head = sock.recv(65536)

    assert head.startswith(b"HTTP/1.1 200 OK")


def test_two_requests_of_one_connection_share_the_upstream_connection(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    with connected(sidecar.port) as sock:
        for body in (b"one", b"two"):
            sock.sendall(post("/proxy/_sandbox/echo", body))
            assert answer_on(sock).status == 200

    assert len({one.connection for one in upstream.journal}) == 1


def test_a_pipelined_request_behind_a_body_is_served_after_it(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(post("/proxy/_sandbox/echo", b"first") + get("/proxy/_sandbox/status/404"))
        first, second = _read_two(sock)

    assert (first, second) == (200, 404)


@pytest.mark.parametrize("framing", ["none", "zero", "sized", "chunked"])
def test_a_body_keeps_its_framing(sidecar: Sidecar, framing: str) -> None:
    target = "/proxy/_sandbox/echo"
    request = {
        "none": get(target, method="DELETE"),
        "zero": get(target, "Content-Length: 0", method="DELETE"),
        "sized": post(target, b"abc"),
        "chunked": chunked(target, b"ab", b"c"),
    }[framing]
    answer = json.loads(ask(sidecar.port, request).body)
    fields = {name.lower(): value for name, value in answer["headers"]}

    assert answer["size"] == (0 if framing in ("none", "zero") else 3)
    assert fields.get("content-length") == {"zero": "0", "sized": "3"}.get(framing)
    assert fields.get("transfer-encoding") == {"chunked": "chunked"}.get(framing)


@pytest.mark.parametrize(
    ("target", "status", "body"),
    [("/proxy/_sandbox/status/204", 204, b""), ("/proxy/_sandbox/bytes?size=0", 200, b"")],
)
def test_an_empty_answer_stays_empty(
    sidecar: Sidecar, target: str, status: int, body: bytes
) -> None:
    answer = ask(sidecar.port, get(target))

    assert (answer.status, answer.body, answer.complete) == (status, body, True)


def test_gzip_crosses_untouched(sidecar: Sidecar) -> None:
    answer = ask(
        sidecar.port,
        get("/proxy/_sandbox/bytes?size=5000&seed=7", FAULT + "gzip", "Accept-Encoding: gzip"),
    )

    assert answer.header("Content-Encoding") == "gzip"
    assert answer.body[:2] == b"\x1f\x8b"


@pytest.mark.parametrize("interim", ["103", "100", "102", "103 x 1000"])
def test_an_interim_answer_is_never_taken_for_the_answer(sidecar: Sidecar, interim: str) -> None:
    answer = ask(sidecar.port, get("/proxy/_sandbox/echo", f"{FAULT}interim={interim}"))

    assert (answer.status, answer.interim) == (200, [])
    assert json.loads(answer.body)["method"] == "GET"


def test_an_answer_before_the_end_of_the_upload_is_relayed(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as sock:
        head = get(
            "/proxy/_sandbox/echo", "Content-Length: 1000000", FAULT + "early=413", method="POST"
        )
        sock.sendall(head + b"x" * 100)
        answer = answer_on(sock)

    assert answer.status == 413
    assert answer.header("Connection") == "close"


def test_an_answer_before_the_end_reaches_a_caller_who_goes_on_sending(sidecar: Sidecar) -> None:
    body = b"x" * 5_000_000
    answer = ask(sidecar.port, post("/proxy/_sandbox/echo", body, FAULT + "early=413"))

    assert answer.status == 413
    assert json.loads(answer.body)["code"] == 22


@pytest.mark.parametrize("delay", ["0", "1.2"])
def test_a_caller_that_only_closes_its_sending_side_gets_its_answer(
    sidecar: Sidecar, delay: str
) -> None:
    answer = ask(sidecar.port, get("/proxy/_sandbox/echo", f"{FAULT}slow={delay}"), half_close=True)

    assert (answer.status, answer.interim) == (200, [])


def test_expect_100_continue_is_answered_here_and_not_passed_on(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(
            get("/proxy/_sandbox/echo", "Content-Length: 3", "Expect: 100-continue", method="POST")
        )
        assert sock.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        assert answer_on(sock).status == 200

    assert upstream.journal[0].values("expect") == []


def _read_two(sock: socket.socket) -> tuple[int, int]:
    """Read two pipelined answers; a strict reader of one would swallow the next."""
    data = b""

    while data.count(b"HTTP/1.1 ") < 2:
        data += sock.recv(65536)

    first, second = data.split(b"HTTP/1.1 ")[1:3]
    return int(first[:3]), int(second[:3])


def test_a_kept_connection_carries_any_number_of_bodies(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as sock:
        for _ in range(600):
            sock.sendall(post("/proxy/_sandbox/status/200", b"{}"))
            assert answer_on(sock).status == 200


def test_a_kept_connection_may_be_idle_for_longer_than_a_body(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as sock:
        sock.sendall(post("/proxy/_sandbox/echo", b"{}"))
        assert answer_on(sock).status == 200
        time.sleep(3.5)  # the shared sidecar's BODY_IDLE_TIMEOUT is 3
        sock.sendall(post("/proxy/_sandbox/echo", b"{}"))
        assert answer_on(sock).status == 200
