"""The parts of the socket by themselves: what takes too long, or is too rare, over a sidecar."""

import contextlib
import dataclasses
import json
import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
import websocket

from chatproxy.errors import DirectoryUnavailable
from chatproxy.identity.records import User
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.sockets import frames, packets
from chatproxy.providers.imkit.sockets import websocket as texts
from chatproxy.providers.imkit.sockets.dialogue import Dialogue
from chatproxy.providers.imkit.sockets.frames import SocketClosed
from chatproxy.providers.imkit.sockets.hub import Hub, Tokens
from chatproxy.providers.imkit.sockets.packets import Event
from chatproxy.providers.imkit.sockets.periodic import Periodic
from chatproxy.providers.imkit.sockets.session import Times
from chatproxy.providers.imkit.sockets.websocket import WebSocket

QUICK = Times(authenticate=0.3, ping_every=0.2, pong_within=0.2)
SLOW = Times(authenticate=60, ping_every=60, pong_within=60)


def user(user_id: str) -> User:
    values: dict[str, Any] = dict.fromkeys(field.name for field in dataclasses.fields(User))
    return User(
        **values
        | {"external_id": user_id, "app_id": "app", "custom": {}, "created": 0.0}
        | {"updated": 0.0}
    )


def authenticate(token: str, _device_id: str) -> Binding:
    return Binding(user(token), f"digest of {token}", 0)


class Client:
    """The other end of a socket that a hub serves in a thread."""

    def __init__(self, hub: Hub) -> None:
        ours, self.theirs = socket.socketpair()
        self.frames = websocket.WebSocket()
        self.frames.sock, self.frames.connected = self.theirs, True
        self.frames.settimeout(5)
        self.ended_by = ""
        self._thread = threading.Thread(target=self._serve, args=(hub, ours))
        self._thread.start()

    def _serve(self, hub: Hub, ours: socket.socket) -> None:
        with ours:
            self.ended_by = hub.serve(ours, authenticate)

    def enter(self, token: str | None = None) -> "Client":
        self.frames.recv()
        self.frames.send("40")
        self.frames.recv()

        if token is not None:
            self.frames.send(f'421["auth","{token}"]')
            assert '"RC": 0' in self.frames.recv()

        return self

    def close(self) -> str:
        self.theirs.close()
        self._thread.join(5)
        return self.ended_by

    def end(self) -> str:
        """Wait for the end; return who ended it."""
        self._thread.join(5)
        self.theirs.close()
        return self.ended_by


def hub_of(
    still_count: Callable[[Tokens], set[tuple[str, str]]] = set,
    is_stopping: Callable[[], bool] = lambda: False,
    times: Times = SLOW,
) -> Hub:
    return Hub(10_000, still_count, is_stopping, time.monotonic, times)


def test_who_answers_its_pings_stays() -> None:
    client = Client(hub_of(times=QUICK)).enter("a")

    for _ in range(4):
        assert client.frames.recv() == "2"
        client.frames.send("3")

    assert client.close() == "caller"


def test_who_answers_none_is_gone() -> None:
    client = Client(hub_of(times=QUICK)).enter("a")
    started = time.monotonic()

    assert client.end() == "silence"
    assert time.monotonic() - started < 1


def test_who_does_not_enter_has_as_little_time_as_who_does_not_authenticate() -> None:
    assert Client(hub_of(times=QUICK)).end() == "nobody authenticated"


def test_who_takes_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "WRITE_LIMIT", 0.3)
    client = Client(hub_of()).enter("a")
    client.frames.settimeout(0.1)
    frame = websocket.ABNF(1, 0, 0, 0, 1, 1, f"40/{'x' * 60_000}").format()

    with contextlib.suppress(OSError):
        while True:  # until nobody takes it: each is answered with as much
            client.theirs.sendall(frame)

    assert client.end() == "caller"


def test_tokens_are_asked_about_in_parts() -> None:
    asked: list[int] = []

    def still_count(tokens: Tokens) -> set[tuple[str, str]]:
        asked.append(len(tokens))
        return set(tokens)

    hub = hub_of(still_count)
    clients = [Client(hub).enter(f"user-{number}") for number in range(501)]
    asked.clear()
    time.sleep(0.7)
    numbers = set(asked)

    assert {client.close() for client in clients} == {"caller"}
    assert numbers == {500, 1}


def test_a_token_is_asked_about_once_however_many_sockets_it_has() -> None:
    asked: list[Tokens] = []

    def still_count(tokens: Tokens) -> set[tuple[str, str]]:
        asked.append(tokens)
        return set()

    hub = hub_of(still_count)
    clients = [Client(hub).enter("same") for _ in range(3)]

    assert {client.end() for client in clients} == {"token"}
    assert {len(tokens) for tokens in asked} == {1}


def test_a_token_that_was_replaced_while_it_was_asked_about_ends_nothing() -> None:
    asks, answers = threading.Event(), threading.Event()

    def still_count(tokens: Tokens) -> set[tuple[str, str]]:
        if ("app", "digest of before") not in tokens:
            return set(tokens)

        asks.set()
        answers.wait(5)
        return set()

    client = Client(hub_of(still_count)).enter("before")
    assert asks.wait(5)
    client.frames.send('422["auth","after"]')
    assert '"RC": 0' in client.frames.recv()
    answers.set()
    time.sleep(0.7)

    assert client.close() == "caller"


def test_a_directory_that_does_not_answer_holds_no_end_up() -> None:
    asks, answers, stopping = threading.Event(), threading.Event(), threading.Event()

    def still_count(tokens: Tokens) -> set[tuple[str, str]]:
        asks.set()
        answers.wait(5)
        return set(tokens)

    client = Client(hub_of(still_count, stopping.is_set)).enter("a")
    assert asks.wait(5)
    stopping.set()
    started = time.monotonic()
    ended_by = client.end()
    took = time.monotonic() - started
    answers.set()

    assert ended_by == "stop"
    assert took < 1


def test_a_directory_that_is_away_ends_nothing_and_is_told_once_each_time(
    caplog: pytest.LogCaptureFixture,
) -> None:
    away = threading.Event()

    def still_count(tokens: Tokens) -> set[tuple[str, str]]:
        if away.is_set():
            raise DirectoryUnavailable(detail="down")

        return set(tokens)

    client = Client(hub_of(still_count)).enter("a")

    for _ in range(2):
        away.set()
        time.sleep(0.8)
        away.clear()
        time.sleep(0.4)

    assert client.close() == "caller"
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


@pytest.fixture
def needed() -> Iterator[threading.Event]:
    made = threading.Event()
    yield made
    made.clear()


def test_what_is_repeated_goes_on_after_a_failure(
    needed: threading.Event, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[int] = []

    def work() -> None:
        done.append(1)
        raise ValueError

    needed.set()
    Periodic(work, needed.is_set, 0.01).start()
    time.sleep(0.2)

    assert len(done) > 3
    assert caplog.records[0].levelno == logging.ERROR


def test_what_is_repeated_is_so_while_it_is_needed_and_by_one_thread(
    needed: threading.Event,
) -> None:
    threads: list[int] = []
    repeated = Periodic(lambda: threads.append(threading.get_ident()), needed.is_set, 0.01)
    counts = []

    for _ in range(2):
        threads.clear()
        needed.set()

        for _ in range(5):
            repeated.start()

        time.sleep(0.1)
        needed.clear()
        time.sleep(0.1)
        counts.append((len(set(threads)), len(threads)))
        time.sleep(0.1)
        assert len(threads) == counts[-1][1]

    assert [number for number, _ in counts] == [1, 1]


def test_a_failure_that_nobody_thought_of_is_answered_and_told_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(token: str, _device_id: str) -> Binding:
        raise RuntimeError(f"something about {token}")

    answer = Dialogue(fails).answer(Event("/", "1", "auth", ["a-token"]))
    (record,) = caplog.records

    assert (answer["RC"], answer["error"]["code"]) == (500, "INTERNAL_SERVER_ERROR")
    assert cast(Any, record).error["type"] == "RuntimeError"
    assert "in fails" in cast(Any, record).error["stackTrace"]
    assert "a-token" not in str(vars(record))


def test_an_event_does_not_show_what_was_said() -> None:
    assert "secret" not in repr(packets.read('42["auth","secret"]'))


def test_what_is_said_may_hold_any_number_of_brackets() -> None:
    text = "[{" * 20_000
    event = packets.read("42" + json.dumps(["auth", text]))

    assert isinstance(event, packets.Event)
    assert event.arguments == [text]


@pytest.mark.parametrize(
    "content",
    ["[" * 5_000 + "]" * 5_000, '["auth",' + "[]," * 10_000 + "[]]", '["auth",NaN]', '["auth"'],
    ids=["deep", "many", "NaN", "cut"],
)
def test_an_event_beyond_the_limits_of_json_is_no_packet(content: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        packets.read("42" + content)


def test_pieces_with_nothing_in_them_come_to_an_end_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LONGEST", 1000)

    with pytest.raises(SocketClosed) as raised:
        received(b"\x01\x80\0\0\0\0" + b"\x00\x80\0\0\0\0" * 1000)

    assert raised.value.code == 1009


def received(data: bytes) -> list[str]:
    """Have a client send the bytes and then no more; return the texts before the end."""
    ours, theirs = socket.socketpair()

    with ours, theirs:
        sending = threading.Thread(target=_send, args=(theirs, data))
        sending.start()
        made, texts = WebSocket(ours, time.monotonic), []

        try:
            while (text := made.receive(time.monotonic() + 5)) is not None:
                texts.append(text)
        except SocketClosed as over:
            ours.shutdown(socket.SHUT_RDWR)

            if over.ended_by != "caller":
                raise
        finally:
            sending.join(5)

    return texts


def _send(sock: socket.socket, data: bytes) -> None:
    try:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
    except OSError:
        return


@pytest.mark.parametrize("seed", range(40))
def test_whatever_comes_ends_in_one_of_the_known_ways(seed: int) -> None:
    chance = random.Random(seed)

    for _ in range(20):
        try:
            for text in received(b"".join(_some_frame(chance) for _ in range(6))):
                packets.read(text)
        except (SocketClosed, ValueError):
            pass


def _some_frame(chance: random.Random) -> bytes:
    if chance.random() < 0.1:
        return chance.randbytes(chance.randrange(40))

    contents = [b"", b"40", b'421["auth","x"]', b"\xff", "é".encode()[:1], b"[" * 3000]
    content = chance.choice([*contents, chance.randbytes(chance.randrange(200))])
    opcode = chance.choice([0, 1, 1, 1, 2, 3, 8, 9, 10, 11])
    first = opcode | chance.choice([0x80, 0x80, 0x80, 0x00, 0xC0])
    length = min(len(content), chance.choice([125, 125, 1]))
    masked = chance.choice([0x80, 0x80, 0x80, 0x80, 0x00])
    key = b"\x00\x00\x00\x00" if masked else b""
    return bytes([first, masked | length]) + key + content[:length]
