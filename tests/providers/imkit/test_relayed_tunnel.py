"""A relayed socket by itself: what ends it, and what each side then hears."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from chatproxy.providers.imkit.relaying.speech import Speech
from chatproxy.providers.imkit.relaying.tunnel import Client, Server, Times, Tunnel
from chatproxy.providers.imkit.sockets import frames
from chatproxy.providers.imkit.sockets.frames import SocketClosed
from chatproxy.providers.imkit.sockets.hub import Hub, Tokens
from tests.providers.imkit.test_relayed_speech import GOOD, check_key, sign_in

SLOW = Times(authenticate=60, silence=60)
QUICK = Times(authenticate=0.3, silence=60)
MIB = 1024 * 1024


class End:
    """One end of the tunnel: the client or the server itself."""

    def __init__(self, sock: socket.socket, kind: ConnectionType) -> None:
        self.sock = sock
        self._frames = Connection(kind)
        sock.settimeout(10)

    def say(self, event: Event | str) -> None:
        event = TextMessage(data=event) if isinstance(event, str) else event
        self.sock.sendall(self._frames.send(event))

    def hear(self) -> Event:
        """The next event; `ConnectionError` where there is none any more."""
        while True:
            for event in self._frames.events():
                return event

            if not (data := self.sock.recv(65536)):
                raise ConnectionError

            self._frames.receive_data(data)

    def text(self) -> str:
        """The next text, whole."""
        found = ""

        while True:
            event = self.hear()
            assert isinstance(event, TextMessage), event
            found += event.data

            if event.message_finished:
                return found

    def code(self) -> int | None:
        """Wait for the end; return the code of the close frame, None without one."""
        with contextlib.suppress(OSError):
            while True:
                if isinstance(event := self.hear(), CloseConnection):
                    return int(event.code)

        return None


class Relayed:
    """A tunnel that a hub serves in a thread, with both of its ends."""

    def __init__(self, hub: Hub, times: Times = SLOW, longest: int = 2 * MIB) -> None:
        ours, theirs = socket.socketpair()
        upstream, far = socket.socketpair()
        self.client = End(theirs, ConnectionType.CLIENT)
        self.server = End(far, ConnectionType.SERVER)
        self.tunnel = Tunnel(
            Client(ours, time.monotonic),
            Server(upstream, time.monotonic, b""),
            Speech(sign_in, check_key, "theirs"),
            time.monotonic,
            times,
            longest,
        )
        self._thread = threading.Thread(target=self._serve, args=(hub, ours, upstream))
        self._ended_by = ""
        self._thread.start()

    def _serve(self, hub: Hub, *ours: socket.socket) -> None:
        self._ended_by = hub.hold(self.tunnel)

        for one in ours:
            one.close()

    def signed_in(self) -> "Relayed":
        self.client.say(f'42["auth","{GOOD}"]')
        assert self.server.text() == f'42["auth","{GOOD}"]'
        return self

    def ended_by(self) -> str:
        self._thread.join(15)
        assert not self._thread.is_alive()
        return self._ended_by

    def close(self) -> None:
        self.client.sock.close()
        self.server.sock.close()
        self._thread.join(15)


def hub_of(
    still_count: Callable[[Tokens], set[tuple[str, str]]] = set,
    is_stopping: Callable[[], bool] = lambda: False,
) -> Hub:
    return Hub(10_000, still_count, is_stopping, time.monotonic)


@pytest.fixture
def relayed() -> Iterator[Relayed]:
    made = Relayed(hub_of())
    yield made
    made.close()


@pytest.fixture
def impatient() -> Iterator[Relayed]:
    made = Relayed(hub_of(), QUICK)
    yield made
    made.close()


def test_what_either_side_says_reaches_the_other(relayed: Relayed) -> None:
    relayed.server.say("0{}")
    relayed.client.say('42["chat message","hi 🙂"]')
    relayed.client.say(BytesMessage(data=b"\0\xff"))
    relayed.client.say(Ping(payload=b"p"))
    relayed.server.say(Pong(payload=b"q"))

    assert relayed.client.text() == "0{}"
    assert relayed.server.text() == '42["chat message","hi 🙂"]'
    assert relayed.server.hear() == BytesMessage(data=b"\0\xff")
    assert relayed.server.hear() == Ping(payload=b"p")
    assert relayed.client.hear() == Pong(payload=b"q")
    relayed.client.say(CloseConnection(code=1000))
    assert relayed.server.code() == 1000
    assert relayed.ended_by() == "caller"
    assert relayed.tunnel.carried() == {"received": 25 + 2, "sent": 3}


def test_a_megabyte_passes_either_way(relayed: Relayed) -> None:
    long = '42["chat message","' + "ü" * (MIB // 2) + '"]'
    threading.Thread(target=relayed.client.say, args=(long,)).start()
    assert relayed.server.text() == long

    threading.Thread(target=relayed.server.say, args=(long,)).start()
    assert relayed.client.text() == long


def test_a_message_in_many_pieces_is_looked_at_as_a_whole(relayed: Relayed) -> None:
    text = f'42["auth","{GOOD}"]'

    for place, letter in enumerate(text, 1):
        relayed.client.say(TextMessage(data=letter, message_finished=place == len(text)))

    assert relayed.server.text() == text
    assert relayed.tunnel.token == ("app", "digest")


def test_a_bad_token_is_answered_here_and_never_goes_on(relayed: Relayed) -> None:
    relayed.client.say('427["auth","bad"]')
    assert relayed.client.text().startswith('437[{"RC": 401')

    relayed.client.say('42["after",1]')
    assert relayed.server.text() == '42["after",1]'
    assert relayed.tunnel.token is None


def test_an_answer_of_ours_is_not_put_into_a_message_of_the_servers(relayed: Relayed) -> None:
    relayed.server.say(TextMessage(data="42[", message_finished=False))
    first = relayed.client.hear()
    relayed.client.say('427["auth","bad"]')
    relayed.client.say('42["after",1]')
    assert relayed.server.text() == '42["after",1]'
    relayed.server.say(TextMessage(data='"a"]'))

    assert first == TextMessage(data="42[", message_finished=False)
    assert relayed.client.text() == '"a"]'
    assert relayed.client.text().startswith('437[{"RC": 401')


def test_the_binary_part_of_a_refused_sign_in_is_swallowed(relayed: Relayed) -> None:
    relayed.client.say('451-7["auth",{"_placeholder":true,"num":0}]')
    relayed.client.say(BytesMessage(data=b"part", message_finished=False))
    relayed.client.say(BytesMessage(data=b"of it"))
    relayed.client.say(BytesMessage(data=b"the next"))

    assert relayed.server.hear() == BytesMessage(data=b"the next")


def test_a_token_that_ends_closes_it_and_tells_both_sides() -> None:
    valid = {("app", "digest")}
    made = Relayed(hub_of(lambda tokens: set(tokens) & valid)).signed_in()
    valid.clear()
    started = time.monotonic()

    assert made.client.text() == "41"
    assert made.client.code() == 1008
    assert time.monotonic() - started < 1
    assert made.server.code() == 1001
    assert made.ended_by() == "token"
    made.close()


@pytest.mark.parametrize("blocked", ["client", "server"])
def test_it_ends_as_soon_where_a_side_does_not_read(blocked: str) -> None:
    """A write under way waits for that side, and is cut."""
    valid = {("app", "digest")}
    made = Relayed(hub_of(lambda tokens: set(tokens) & valid), longest=64 * MIB).signed_in()
    talks, listens = (
        (made.server, made.client) if blocked == "client" else (made.client, made.server)
    )
    more = '42["chat message","' + "x" * MIB

    def flood() -> None:
        with contextlib.suppress(OSError):
            for _ in range(40):
                talks.say(TextMessage(data=more, message_finished=False))

    threading.Thread(target=flood, daemon=True).start()
    time.sleep(0.3)
    valid.clear()
    started = time.monotonic()

    assert made.ended_by() == "token"
    assert time.monotonic() - started < 2
    assert listens is not talks
    made.close()


def test_a_worker_that_stops_tells_both_sides() -> None:
    stops: list[bool] = []
    made = Relayed(hub_of(is_stopping=lambda: bool(stops)))
    stops.append(True)

    assert made.client.code() == 1001
    assert made.server.code() == 1001
    assert made.ended_by() == "stop"
    made.close()


def test_a_caller_who_is_gone_ends_the_other_side(relayed: Relayed) -> None:
    relayed.client.sock.close()

    assert relayed.server.code() == 1001
    assert relayed.ended_by() == "caller"


@pytest.mark.parametrize("code", [1000, 1011, 4001])
def test_the_code_of_the_side_that_leaves_is_passed_on(relayed: Relayed, code: int) -> None:
    relayed.server.say(CloseConnection(code=code))

    assert relayed.client.code() == code
    assert relayed.ended_by() == "server"


def test_a_server_that_breaks_off_is_said_to(relayed: Relayed) -> None:
    relayed.server.sock.close()

    assert relayed.client.code() == 1011
    assert relayed.ended_by() == "server"


@pytest.mark.parametrize("said", [b"not frames at all", b"\x81\x82\0\0\0\0hi", b"\xff" * 20])
def test_a_server_that_sends_no_frames_is_said_to_have_broken_it(
    relayed: Relayed, said: bytes
) -> None:
    relayed.server.sock.sendall(said)

    assert relayed.client.code() == 1002
    assert relayed.ended_by() == "server"


def test_a_server_that_says_nothing_is_not_waited_for(impatient: Relayed) -> None:
    assert isinstance(closed := impatient.client.hear(), CloseConnection)
    assert (closed.code, closed.reason) == (1011, "The IMKit server said nothing.")
    assert impatient.ended_by() == "server"


def test_who_does_not_sign_in_is_not_waited_for(impatient: Relayed) -> None:
    impatient.server.say("0{}")

    assert impatient.client.text() == "0{}"
    assert impatient.client.text() == "41"
    assert impatient.client.code() == 1008
    assert impatient.ended_by() == "nobody authenticated"


def test_who_has_signed_in_may_be_silent_for_longer(impatient: Relayed) -> None:
    impatient.signed_in()
    time.sleep(0.5)
    impatient.server.say("2")

    assert impatient.client.text() == "2"


def test_a_side_that_is_silent_for_too_long_is_gone() -> None:
    for talks, ended_by in (("server", "silence"), ("client", "server")):
        made = Relayed(hub_of(), Times(authenticate=60, silence=0.6))
        end = made.server if talks == "server" else made.client
        until = time.monotonic() + 5

        with contextlib.suppress(OSError):
            while time.monotonic() < until and made._thread.is_alive():  # noqa: SLF001
                end.say("3")
                time.sleep(0.05)

        assert made.ended_by() == ended_by
        made.close()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ('42["chat message","' + "x" * (2 * MIB), 1009),
        ('42["auth","' + "x" * 70_000, 1009),
        ("42[" + " " * 70_000, 1002),
        ('42{"auth":1}', 1002),
        ("4x", 1002),
    ],
    ids=["too long", "a long sign-in", "a hidden name", "no event", "no packet"],
)
def test_what_no_client_sends_ends_it(relayed: Relayed, said: str, code: int) -> None:
    def say() -> None:
        with contextlib.suppress(OSError):
            relayed.client.say(said)

    def take() -> None:
        with contextlib.suppress(OSError):
            while relayed.server.sock.recv(65536):
                pass

    for work in (say, take):
        threading.Thread(target=work).start()

    assert relayed.client.code() == code
    assert relayed.ended_by() == "protocol"


def test_who_takes_nothing_is_not_waited_for(
    relayed: Relayed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "WRITE_LIMIT", 0.3)

    with contextlib.suppress(OSError):
        for _ in range(2000):
            relayed.server.say(BytesMessage(data=b"x" * 65536))

    assert relayed.ended_by() == "caller"


def test_a_socket_that_nobody_signed_in_on_gives_way() -> None:
    made = Relayed(hub_of(), Times(authenticate=60, undisturbed=0))

    assert made.tunnel.gives_way()
    assert not made.signed_in().tunnel.gives_way()
    made.close()


def test_an_end_that_takes_its_time_is_a_proper_one(relayed: Relayed) -> None:
    """Where many end at once, each is told again and again before its turn has come."""
    closed = SocketClosed("token", 1008)
    relayed.client.say("2")
    assert relayed.server.text() == "2"

    with relayed.tunnel._client._writing:  # noqa: SLF001 - somebody else has the turn
        for _ in range(4):
            relayed.tunnel.end(closed)
            time.sleep(0.15)

    assert relayed.client.text() == "41"
    assert relayed.client.code() == 1008
