"""What may be said on the socket, packet by packet and frame by frame.

The cases follow the specifications' own test suites, and what a hostile client would send.
"""

import contextlib
import json
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from tests.calls import call
from tests.providers.imkit.conftest import Site
from tests.providers.imkit.rawsocket import RawSocket, entered, raw_socket

LONGEST = 64 * 1024
PROTOCOL_ERROR = 1002


@pytest.fixture(scope="module")
def served(imkit_before: Callable[..., Any]) -> Iterator[Site]:
    """A site; whatever is said to it, no line of its log is a warning, or has a traceback."""
    with imkit_before(WORKER_CONNECTIONS="60") as made:
        yield made
        lines = made.sidecar.lines()

    assert [line for line in lines if line["level"] >= 40 or "error" in line] == []


@pytest.fixture
def opened(served: Site) -> Iterator[RawSocket]:
    with raw_socket(served.sidecar.port) as made:
        yield made


@pytest.fixture
def inside(served: Site) -> Iterator[RawSocket]:
    with entered(served.sidecar.port) as made:
        yield made


def test_the_first_packet_names_the_terms(opened: RawSocket) -> None:
    said = json.loads(opened.hear().removeprefix("0"))
    said.pop("sid")
    terms = {"pingInterval": 25000, "pingTimeout": 20000, "maxPayload": LONGEST}

    assert said == {"upgrades": [], **terms}


def test_nobody_is_asked_who_they_are_before_they_enter(opened: RawSocket, served: Site) -> None:
    token = served.token("early")
    opened.hear()
    opened.say(f'421["auth","{token}"]')

    assert opened.closed_with() == PROTOCOL_ERROR


@pytest.mark.parametrize("said", ["40", "40{}", '40{"token":"t"}', "40/,", "40/?a=b,{}"])
def test_the_main_namespace_is_open(opened: RawSocket, said: str) -> None:
    opened.hear()
    opened.say(said)

    assert list(json.loads(opened.hear().removeprefix("40"))) == ["sid"]


@pytest.mark.parametrize(
    ("said", "name"),
    [("40/random", "/random"), ("40/other,{}", "/other"), ("40/x?token=t,", "/x"), ("40/é", "/é")],
)
def test_another_namespace_is_not(inside: RawSocket, said: str, name: str) -> None:
    inside.say(said)

    assert inside.hear() == f'44{name},{{"message": "Invalid namespace"}}'
    assert inside.ask("conf")["RC"] == 0


@pytest.mark.parametrize(
    "said",
    [
        *("", "x", "é", "2", "0", "5", "6", "9", "22", "2probe"),
        *("4", "4abc", "47", "4é", "44{}", '44/,"no"'),
        *("42", "42{}", "42[]", "42[1]", "42[null]", '42["auth"', '42"auth"', "42[[]]", "421"),
        *('42/other,["conf"]', "42/other", '4212345678901234567["conf"]', "45", "451-", "451-{}"),
        "42" + "[" * 60_000,
        '42["a",' + '{"a":' * 10_000,
        '42["a",' + "9" * 5_000 + "]",
    ],
    ids=lambda said: said[:12],
)
def test_what_no_client_says_ends_the_socket(inside: RawSocket, said: str) -> None:
    inside.say(said)

    assert inside.closed_with() == PROTOCOL_ERROR


@pytest.mark.parametrize(
    "said", ["3", "40", "43[]", "435[1]", "461-[]", "41/other", "41/other,", '42["auth","bad"]']
)
def test_what_needs_no_answer_gets_none(inside: RawSocket, said: str) -> None:
    inside.say(said)

    if said == "40":
        assert inside.hear().startswith('40{"sid":')

    assert inside.ask("conf")["RC"] == 0


@pytest.mark.parametrize("said", ["1", "41", "41/,"])
def test_a_client_that_leaves(inside: RawSocket, said: str) -> None:
    inside.say(said)

    assert inside.closed_with() == 1000


@pytest.mark.parametrize("count", ["1", "2", "999999999"])
def test_binary_data_are_refused_and_not_kept(inside: RawSocket, served: Site, count: str) -> None:
    (worker,) = served.sidecar.workers()
    before = _resident(worker)
    inside.say(f'45{count}-7["auth",{{"_placeholder":true,"num":0}}]')
    answer = inside.hear()

    for _ in range(500):
        inside.frames.send_binary(b"x" * 60_000)

    assert answer.startswith('437[{"RC": 400,')
    assert inside.ask("conf")["RC"] == 0
    assert _resident(worker) - before < 8 * 1024 * 1024


def _resident(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.mark.parametrize("length", [LONGEST, LONGEST + 1])
def test_how_long_a_message_may_be(inside: RawSocket, length: int) -> None:
    inside.say('427["conf"]'.ljust(length))

    if length == LONGEST:
        assert inside.hear().startswith('437[{"RC": 0,')
    else:
        assert inside.closed_with() == 1009


@pytest.mark.parametrize("binary", [False, True])
def test_a_message_of_a_megabyte(inside: RawSocket, served: Site, *, binary: bool) -> None:
    inside.frames.send('42["auth","' + "x" * 1_000_000, opcode=2 if binary else 1)

    assert inside.closed_with() == 1009
    assert call(served.sidecar.port, "GET", "/-/healthz").status == 200


def test_a_message_that_comes_in_pieces(inside: RawSocket) -> None:
    for number, piece in enumerate(['427["c', "", "on", 'f"]']):
        fin, opcode = int(number == 3), 0 if number else 1
        inside.frames.send_frame(websocket.ABNF(fin, 0, 0, 0, opcode, 1, piece))

    assert inside.hear().startswith('437[{"RC": 0,')


def test_a_message_whose_pieces_never_end(inside: RawSocket) -> None:
    _say_pieces(inside, "x" * 1000)

    assert inside.closed_with() == 1009


def _say_pieces(inside: RawSocket, piece: str) -> None:
    inside.frames.send_frame(websocket.ABNF(0, 0, 0, 0, 1, 1, piece))

    try:
        for _ in range(200):
            inside.frames.send_frame(websocket.ABNF(0, 0, 0, 0, 0, 1, piece))
    except OSError:
        return


def test_pings_of_the_websocket_are_answered(inside: RawSocket) -> None:
    inside.frames.ping(b"are you there")

    assert inside.frames.recv_data(control_frame=True) == (10, b"are you there")
    assert inside.ask("conf")["RC"] == 0


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x02ab", 1002),  # not masked
        (b"\x83\x80\0\0\0\0", 1002),  # an opcode that is none
        (b"\xc1\x80\0\0\0\0", 1002),  # a bit that no extension gave a meaning
        (b"\x09\x80\0\0\0\0", 1002),  # a control frame in pieces
        (b"\x89\xfe\x01\x00\0\0\0\0", 1002),  # a control frame that is too long
        (b"\x80\x80\0\0\0\0", 1002),  # the end of a message that did not begin
        (b"\x81\x82\0\0\0\0\xff\xfe", 1007),  # not UTF-8
        (b"\x88\x81\0\0\0\0\x03", 1002),  # half a code
        (b"\x88\x82\0\0\0\0\x03\xed", 1002),  # a code that is never sent
        (b"\x88\x80\0\0\0\0", None),  # no code
        (b"\x88\x82\0\0\0\0\x0b\xb8", 3000),  # a code of the client's own
        (b"\x88\x82\0\0\0\0\x03\xf0", 1008),  # the one by which we turn a client away
    ],
)
def test_frames_that_end_the_socket(inside: RawSocket, frame: bytes, code: int | None) -> None:
    inside.frames.sock.sendall(frame)

    assert inside.closed_with() == code


@pytest.mark.parametrize("way", ["half-closes", "resets", "leaves within a frame"])
def test_a_client_that_is_gone(served: Site, way: str) -> None:
    ours = f"gone-{secrets.token_hex(4)}"
    made = RawSocket(served.sidecar.port, header=[f"X-Request-Id: {ours}"]).enter()

    if way == "half-closes":
        made.frames.sock.shutdown(socket.SHUT_WR)
        assert made.closed_with() is None
    elif way == "resets":
        made.frames.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    else:
        made.frames.sock.sendall(b"\x81\xfe")

    made.close()
    line = served.sidecar.wait_for_line(req_id=ours)

    assert line["socket"] == {"endedBy": "caller"}
    assert len(served.sidecar.completed(req_id=ours)) == 1


UNMASKED = b"\x00\x00\x00\x00"  # a key that changes nothing
FLOODS = {"pings": b"\x89\x80" + UNMASKED, "events": b"\x81\x8b" + UNMASKED + b'427["conf"]'}


@pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS.keys())
def test_one_that_never_pauses_does_not_hold_up_the_others(served: Site, flood: bytes) -> None:
    """Its answers are read all the time; what it says meanwhile is always there already."""
    with entered(served.sidecar.port) as inside:
        threads = [
            threading.Thread(target=_again_and_again, args=(work,))
            for work in (
                lambda: inside.frames.sock.sendall(flood * 200),
                lambda: inside.frames.sock.recv(65536),
            )
        ]

        for thread in threads:
            thread.start()

        time.sleep(0.3)
        took = []

        for _ in range(10):
            started = time.monotonic()
            assert call(served.sidecar.port, "GET", "/-/healthz").status == 200
            took.append(time.monotonic() - started)

        inside.frames.sock.shutdown(socket.SHUT_RDWR)

        for thread in threads:
            thread.join(5)

    assert max(took) < 1, took


def _again_and_again(work: Callable[[], Any]) -> None:
    with contextlib.suppress(OSError):
        while work() != b"":
            pass
