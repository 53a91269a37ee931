"""Answers that are made up, read by our reader and by h11 alone: both have to find the same.

`python -m tests.forwarding.answer_fuzz SECONDS [SEED]` goes on for as long as it is told.
"""

import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

import h11

from chatproxy.errors import UpstreamBroken
from chatproxy.forwarding.answers import AnswerReader, Head
from chatproxy.forwarding.headers import LARGEST_HEAD, MOST_FIELDS, defect_in
from tests.badinput.test_headers_out import BREAKS_OFF, BROKEN

STATUS_LINES = [
    *(b"HTTP/1.1 200 OK", b"HTTP/1.1 201 Made", b"HTTP/1.1 200 ", b"HTTP/1.1 200"),
    *(b"HTTP/1.1 204 No Content", b"HTTP/1.1 304 Not Modified", b"HTTP/1.0 200 OK"),
    *(b"HTTP/1.1 404 Not \xc4 Found", b"HTTP/1.1 503 \tTry again ", b"HTTP/1.1 999 Odd"),
    *(b"HTTP/2.0 200 OK", b"HTTP/1.2 200 OK", b"http/1.1 200 OK", b"HTTP/1.1 099 Low"),
    *(b"HTTP/1.1 101 Switching Protocols", b"HTTP/1.1  200 OK", b"HTTP/1.1 200 O\x00K"),
]
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: any\r\n\r\n"
FIELDS = [
    *(b"Server: nginx", b"Content-Type: application/json", b"X-Empty:", b"X-Empty: ", b"x:y"),
    *(b"Set-Cookie: a=b", b"X-B:  two", b"X-B: end ", b"X-B: \ttab\t", b"X-B: in\tside"),
    *(b"X-\xc4: a", b"X-A: \xc4\xff", b"X A: a", b"X-A : a", b": a", b"no colon", b"X-A: a\x7f"),
    *(b"X-A: \x01", b"X-A: a\x00", b"X-A: \x0b", b"X-A: a\x0c", b"X-A: a\rb", b"X-A: a\nb"),
    *(b" folded", b"\tfolded", b"X-A: a\r\n folded", b"X-A: a:b: c", b"X-A: \x85", b"X-A: \xa0"),
    *(b"Keep-Alive: timeout=5, max=2", b"Trailer: X-T", b"Upgrade: any", b"Connection: Upgrade"),
]
CONNECTIONS = [
    *(b"Connection: close", b"Connection: keep-alive", b"connection: Close", b"Connection: "),
    *(b"Connection: keep-alive, close", b"Connection: x-named", b"Connection:close"),
]
LENGTHS = [
    *(b"%d", b"0%d", b"%d, %d", b"%d,%d", b"+%d", b"-%d", b"0x%d", b"%d ", b" %d", b"\t%d"),
    *(b"%d.0", b"1%d", b"", b"two", b"9" * 25, b"%d;", b"\xb2"),
]
CODINGS = [
    *(b"chunked", b"Chunked", b"chunked ", b"gzip", b"gzip, chunked", b"chunked, chunked"),
    *(b"identity", b"", b"\x0bchunked", b"chunked;q=1", b'"chunked"'),
]
SIZES = [
    b"%x",
    b"%X",
    b"0%x",
    b"%x;a=b",
    b"%x ",
    b" %x",
    b"0x%x",
    b"+%x",
    b"%x\t",
    b"%08x",
    b"%09x",
]
TRAILERS = [b"", b"X-T: a\r\n", b"Content-Length: 3\r\n", b"bad\r\n", b" folded\r\n", b"\n"]
BYTES = b"\x00\t\n\r\x0b\x0c\x1b :;,0159afAFxX-HTP/.\x7f\x80\xff"


class Found(NamedTuple):
    """What is made of the bytes: `state` is how far it came."""

    state: str
    head: Head | None
    body: bytes
    begun: bool
    can_be_followed: bool


class Reader(Protocol):
    """Our reader, and h11 in its place."""

    received: int

    def feed(self, data: bytes) -> None: ...
    def head(self) -> Head | None: ...
    def piece(self) -> bytes | None: ...
    @property
    def can_be_followed(self) -> bool: ...


class Library:
    """h11 alone, as a client uses it that has sent such a request."""

    def __init__(self, *, to_head: bool, switching: bool) -> None:
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=LARGEST_HEAD)
        fields = [("Host", "up.example"), ("Accept", "*/*")]
        fields += [("Connection", "Upgrade"), ("Upgrade", "websocket")] if switching else []
        method = "HEAD" if to_head else "GET"
        self._h11.send(h11.Request(method=method, target="/app?a=b", headers=fields))
        self._h11.send(h11.EndOfMessage())
        self.received = 0

    def feed(self, data: bytes) -> None:
        self.received += len(data)
        self._h11.receive_data(data)

    def head(self) -> Head | None:
        event = self._event()

        if not isinstance(event, h11.Response | h11.InformationalResponse):
            return None

        fields = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers.raw_items()]
        return Head(event.status_code, event.reason.decode("latin-1"), fields)

    def piece(self) -> bytes | None:
        event = self._event()

        if isinstance(event, h11.Data):
            return bytes(event.data)

        return b"" if isinstance(event, h11.EndOfMessage) else None

    @property
    def can_be_followed(self) -> bool:
        done = self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE
        return done and not self._h11.trailing_data[0]

    def _event(self) -> object:
        try:
            event = self._h11.next_event()
        except h11.RemoteProtocolError as error:
            raise UpstreamBroken("h11", answer_begun=self.received > 0) from error

        if isinstance(event, h11.ConnectionClosed):
            raise UpstreamBroken("h11", answer_begun=self.received > 0)

        if isinstance(event, h11.Response) and defect_in(event):
            raise UpstreamBroken("h11", answer_begun=True)

        return event


def found_by(reader: Reader, fed: Iterable[bytes]) -> Found:
    """Read one answer as a connection does."""
    head, body, state = None, b"", "head"

    try:
        for data in fed:
            reader.feed(data)

            while state == "head" and (some := reader.head()) is not None:
                if some.status >= 200 or some.status == 101:
                    head, state = some, "switched" if some.status == 101 else "body"

            while state == "body" and (piece := reader.piece()) is not None:
                body += piece
                state = state if piece else "whole"

            if state in ("switched", "whole"):
                break
    except UpstreamBroken as error:
        return Found(f"broken {state}", head, body, error.answer_begun, can_be_followed=False)

    # Asked only of an answer that is whole.
    follows = state == "whole" and reader.can_be_followed
    return Found(state, head, body, reader.received > 0, follows)


def answer(rng: random.Random) -> bytes:
    """Make one up, most often a good one with something odd about it."""
    seeds = [*BROKEN.values(), *BREAKS_OFF.values()]
    made = rng.choice(seeds) if rng.random() < 0.05 else _made(rng)

    for _ in range(rng.choice([0, 0, 0, 0, 1, 1, 3])):
        made = _mutated(made, rng)

    return made


def _made(rng: random.Random) -> bytes:
    odd = rng.random() < 0.7
    lines = [rng.choice(STATUS_LINES) if odd and rng.random() < 0.3 else STATUS_LINES[0]]
    lines += rng.choices(
        FIELDS[:2] if not odd or rng.random() < 0.7 else FIELDS, k=rng.randrange(4)
    )
    lines += [rng.choice(CONNECTIONS)] * rng.choice([0, 0, 1, 1, 2])
    body = rng.randbytes(rng.choice([0, 1, 5, 17, 300]))
    framed = body

    if rng.random() < 0.5:
        form = rng.choice(LENGTHS) if odd and rng.random() < 0.3 else b"%d"
        value = form.replace(b"%d", b"%d" % len(body))
        lines += [b"Content-Length: " + value] * rng.choice([1, 1, 1, 1, 2])

    if rng.random() < 0.5:
        coding = rng.choice(CODINGS) if odd and rng.random() < 0.3 else b"chunked"
        lines += [b"Transfer-Encoding: " + coding] * rng.choice([1, 1, 1, 1, 2])
        framed = _chunked(body, rng, odd=odd)

    if odd and rng.random() < 0.02:
        lines += [b"X-Many: a"] * rng.choice([MOST_FIELDS - 5, MOST_FIELDS, MOST_FIELDS + 1])

    if odd and rng.random() < 0.02:
        lines += [b"X-Long: " + b"a" * rng.choice([LARGEST_HEAD - 100, LARGEST_HEAD + 1])]

    first, *rest = lines
    rng.shuffle(rest)
    end = b"\n" if odd and rng.random() < 0.05 else b"\r\n"
    interim = INTERIM * rng.choice([0] * 9 + [2])
    surplus = rng.choice([b""] * 8 + [b"\r\n", b"HTTP/1.1 200 Evil\r\n\r\n"])
    return interim + end.join([first, *rest, b"", b""]) + framed + surplus


def _chunked(body: bytes, rng: random.Random, *, odd: bool) -> bytes:
    made = b""

    while body:
        size = rng.randrange(1, len(body) + 1)
        form = rng.choice(SIZES) if odd and rng.random() < 0.1 else b"%x"
        made += form % size + b"\r\n" + body[:size] + b"\r\n"
        body = body[size:]

    last = rng.choice([b"0", b"0", b"00", b"000000000", b"0;a", b"0 "]) if odd else b"0"
    trailer = rng.choice(TRAILERS) if odd and rng.random() < 0.3 else b""
    return made + last + b"\r\n" + trailer + b"\r\n"


def _mutated(made: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(made) + 1)
    one = bytes([rng.choice(BYTES)])
    kind = rng.randrange(5)

    if kind == 0:
        return made[:at] + one + made[at:]

    if kind == 1:
        return made[:at] + made[at + 1 :]

    if kind == 2:
        return made[:at] + one + made[at + 1 :]

    if kind == 3:
        return made[:at]

    other = rng.randrange(len(made) + 1)
    return made[:at] + made[min(at, other) : min(at, other) + 40] + made[at:]


def cut(made: bytes, rng: random.Random) -> list[bytes]:
    """Cut it as the network may; the last piece may be the end of the connection."""
    way = rng.random()

    if way < 0.5:
        places: Sequence[int] = []
    elif way < 0.6 and len(made) < 500:
        places = range(1, len(made))
    else:
        places = sorted(rng.choices(range(len(made) + 1), k=rng.randrange(1, 5)))

    pieces = [made[a:b] for a, b in zip([0, *places], [*places, len(made)], strict=True)]
    return [piece for piece in pieces if piece] + rng.choice([[], [b""]])


def differences(rng: random.Random) -> Iterator[str]:
    """Yield what the two find where it is not the same, for ever."""
    while True:
        made, kind = answer(rng), rng.random()
        asked = {"to_head": kind < 0.03, "switching": kind > 0.97}

        if asked["switching"] and rng.random() < 0.5:
            made = SWITCHED + made

        fed = cut(made, rng)
        ours, theirs = found_by(AnswerReader(**asked), fed), found_by(Library(**asked), fed)
        yield "" if ours == theirs else f"{asked} {fed}\n  ours {ours}\n  h11  {theirs}"


def main() -> None:
    """Compare for some seconds."""
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns()
    until, count = time.monotonic() + seconds, 0
    print("seed", seed)

    for found in differences(random.Random(seed)):
        count += 1

        if found:
            print(found)
            sys.exit(1)

        if time.monotonic() > until:
            break

    print(count, "answers, no difference")


if __name__ == "__main__":
    main()
