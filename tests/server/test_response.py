"""What the server in front does with an answer, over real sockets."""

import contextlib
import json
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import answer_on, connected, get

#: Longer than a write may take here (BODY_IDLE_TIMEOUT), and so long that all have given up.
DEAF = 6


def test_a_caller_who_reads_nothing_is_let_go_at_the_limit(sidecar: Sidecar) -> None:
    """Else it would hold its worker's memory, and the provider's connection, for ever."""
    path = "/proxy/_sandbox/bytes"

    with connected(sidecar.port) as deaf:
        deaf.sendall(get(f"{path}?size=200000000", "X-Request-Id: deaf"))
        line = sidecar.wait_for_line(within=20, req_id="deaf")

    assert line["brokenBy"] == "caller"
    assert line["http"]["response"]["body"]["bytes"] < 200_000_000
    assert line["responseTime"] >= 3000


@contextlib.contextmanager
def narrow(port: int) -> Iterator[socket.socket]:
    """A connection that takes little before it is read."""
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        sock.settimeout(20)
        sock.connect(("127.0.0.1", port))
        yield sock


def read_on(sock: socket.socket, most: int) -> tuple[int, bool]:
    """Read up to `most` bytes; return how many came, and whether the connection was reset."""
    read = 0

    try:
        while read < most and (piece := sock.recv(1024 * 1024)):
            read += len(piece)
    except ConnectionResetError:
        return read, True

    return read, False


def is_refused(sock: socket.socket, piece: bytes, times: int, pause: float = 0) -> bool:
    """Send a piece again and again; say whether the other end stopped taking it."""
    try:
        for _ in range(times):
            sock.sendall(piece)
            time.sleep(pause)
    except ConnectionError:
        return True

    return False


def test_a_caller_who_reads_none_of_our_own_answers_is_let_go_too(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], tmp_path: Path
) -> None:
    document, asked, size = tmp_path / "style.json", 60, 500_000
    document.write_text(json.dumps({"web": {"text": "x" * size}}))
    settings = {"BODY_IDLE_TIMEOUT": "2", "STYLE_CONFIG": str(document)}

    with sidecar_before(upstream.url, **settings) as running, narrow(running.port) as deaf:
        deaf.sendall(get("/config?clientType=web") * asked)
        time.sleep(DEAF)
        read, _ = read_on(deaf, asked * size)

    assert 0 < read < asked * size


def test_a_broken_answer_whose_end_is_the_connections_does_not_end_like_a_whole_one(
    sidecar: Sidecar,
) -> None:
    """HTTP/1.0 knows no chunks: a plain end would make the beginning look like all there is."""
    request = get("/proxy/_sandbox/bytes?size=50000000&chunked=1").replace(b"1.1", b"1.0", 1)

    with narrow(sidecar.port) as deaf:
        deaf.sendall(request)
        time.sleep(DEAF)
        read, was_reset = read_on(deaf, 50_000_000)

    assert 0 < read < 50_000_000
    assert was_reset


def test_who_is_answered_early_can_read_the_answer_though_it_still_sends(
    sidecar: Sidecar,
) -> None:
    """Closed with unread bytes, the connection would be reset, and the answer lost with it."""
    upload = b"x" * 1_000_000

    with connected(sidecar.port) as sending:
        sending.sendall(get("/api-key", f"Content-Length: {5 * len(upload)}", method="POST"))
        sending.sendall(upload)
        time.sleep(0.5)  # by now the answer is sent, and the connection closed if it ever is
        sending.sendall(upload)
        time.sleep(0.2)
        answer = answer_on(sending, "POST")

    assert (answer.status, answer.complete, answer.header("Connection")) == (405, True, "close")


def test_who_goes_on_sending_for_ever_is_left_after_a_while(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as sending:
        sending.sendall(get("/api-key", "Transfer-Encoding: chunked", method="POST"))

        assert is_refused(sending, b"1\r\nx\r\n", times=300, pause=0.05)


def test_who_sends_very_much_is_left_sooner(sidecar: Sidecar) -> None:
    with connected(sidecar.port) as sending:
        sending.sendall(get("/api-key", f"Content-Length: {1 << 40}", method="POST"))

        assert is_refused(sending, b"x" * 65536, times=16 * 1024)
