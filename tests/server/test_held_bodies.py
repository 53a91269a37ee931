"""Bodies in memory are bounded together, and slow senders do not hold the room for ever."""

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chatproxy.errors import TooMuchHeld
from chatproxy.forwarding.body import Held
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import answer_on, ask, chunked, connected, get, post

LARGEST = 400_000
ROOM = 1_000_000
BUT_ONE = LARGEST - 1

EVENT = json.dumps({"rawBody": "x" * 300_000, "signature": "none"}).encode()
VERIFY = post("/webhook/verify", EVENT, "Connection: close")

#: All but the last byte of a body of our own endpoints, in each framing.
SLOW = {
    "sized": get("/webhook/verify", f"Content-Length: {LARGEST}", method="POST") + b"[" * BUT_ONE,
    "chunked": get("/webhook/verify", "Transfer-Encoding: chunked", method="POST")
    + b"%x\r\n" % LARGEST
    + b"[" * BUT_ONE,
}


@pytest.fixture(scope="module")
def small(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    limits = {"MAX_JSON_BYTES": str(LARGEST), "MAX_HELD_BYTES": str(ROOM)}

    with sidecar_before(upstream.url, **limits) as sidecar:
        yield sidecar


@contextlib.contextmanager
def slow_senders(port: int, beginning: bytes, many: int) -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        made = [stack.enter_context(connected(port)) for _ in range(many)]

        for one in made:
            one.sendall(beginning)

        yield made


@pytest.mark.parametrize("beginning", SLOW.values(), ids=SLOW)
def test_slow_senders_hold_no_more_than_there_is_room_and_give_way(
    small: Sidecar, beginning: bytes
) -> None:
    with slow_senders(small.port, beginning, many=10) as senders:
        statuses = [ask(small.port, VERIFY, timeout=10).status for _ in range(5)]
        ended = 0

        for one in senders:
            one.settimeout(0.2)

            with contextlib.suppress(TimeoutError):
                ended += answer_on(one, "POST").status == 408

    assert statuses == [200] * 5
    assert ended >= 8


def test_what_is_held_is_given_back(small: Sidecar) -> None:
    bad = [
        post("/webhook/verify", b"{" * 300_000),
        post("/webhook/verify", EVENT, "Content-Type: application/json"),
        chunked("/webhook/verify", EVENT[:200_000], EVENT[200_000:]),
        chunked("/webhook/verify", *[b"x" * 150_000] * 3),
        get("/webhook/verify", "Content-Length: 300000", method="POST") + b"x" * 200_000,
    ]

    for request in bad * 4:
        with connected(small.port) as sock:
            sock.sendall(request)
            sock.shutdown(socket.SHUT_WR)
            answer_on(sock, "POST")

    with slow_senders(small.port, SLOW["sized"], many=2) as senders:
        assert ask(small.port, post("/webhook/verify", b"{}")).status == 400

        for one in senders:
            one.sendall(b"[")
            assert answer_on(one, "POST").status == 400


def test_where_no_sender_is_slow_the_new_one_is_told_to_come_again(
    sidecar_before: Callable[..., Sidecar], tmp_path: Path
) -> None:
    """Bodies that wait for their provider, with our credentials in them."""
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        settings = {
            "PROVIDERS": "stream,performchat",
            "DATABASE_URL": f"sqlite:///{tmp_path}/chatproxy.db",
            "PERFORMCHAT_BASE_URL": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "PERFORMCHAT_KEY_ID": "key",
            "PERFORMCHAT_KEY_SECRET": "s" * 40,
            "MAX_JSON_BYTES": str(LARGEST),
            "MAX_HELD_BYTES": str(ROOM),
            "UPSTREAM_READ_TIMEOUT": "6",
        }
        body = json.dumps({"text": "x" * 300_000}).encode()
        fields = ("Content-Type: application/json", "Connection: close")
        request = post("/performchat/proxy/messages", body, *fields)

        with (
            sidecar_before("http://127.0.0.1:1", **settings) as sidecar,
            contextlib.ExitStack() as s,
        ):
            held = [s.enter_context(connected(sidecar.port)) for _ in range(3)]

            for one in held:
                one.sendall(request)

            refused = until_refused(sidecar, request)
            first = [answer_on(one, "POST").status for one in held]
            after = ask(sidecar.port, request).status

    assert refused.header("Retry-After") == "1"
    assert json.loads(refused.body)["statusCode"] == 503
    assert first == [504] * 3
    assert after == 504


def until_refused(sidecar: Sidecar, request: bytes) -> Any:
    for _ in range(50):
        answer = ask(sidecar.port, request)

        if answer.status == 503:
            return answer

    raise AssertionError("never refused")


def test_one_ends_after_the_other_until_there_is_room() -> None:
    senders = [30, 30, 30]
    held = Held(100, lambda: senders and held.give_back(senders.pop()))

    for size in list(senders):
        held.take(size)

    held.take(65)
    assert senders == [30]

    with pytest.raises(TooMuchHeld):
        held.take(70)
