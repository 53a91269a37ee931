"""The head of a call on the wire: what h11 would not write is not written."""

import random

import h11
import pytest

from chatproxy.forwarding.body import BytesInput, CallerBody
from chatproxy.forwarding.call import Call, Unwritable
from chatproxy.forwarding.headers import Fields
from chatproxy.forwarding.target import Target, Upstream
from chatproxy.forwarding.timeouts import Deadline, Limits

UPSTREAM = Upstream.at("http://up.example/base")
DEADLINE = Deadline(Limits(1, 1, 1, 1, 1, 1), lambda: 0.0)
HOST = ("Host", "up.example")
OTHERS = [*map(chr, range(256)), "", "a", "X-A", "a b", "a\tb", " a", "a ", "\t", "Latin \xe9"]
EACH = 4000


def call(method: str, path: str, fields: Fields, upload: CallerBody | None = None) -> Call:
    made = Call(method, Target(path, None), fields, upload)
    made.address(UPSTREAM, DEADLINE)
    return made


def written_by_h11(method: str, path: str, fields: Fields) -> bytes | None:
    """What h11 makes of it, None where it refuses."""
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
    framing = [("Content-Length", "0")] if method == "POST" else []

    try:
        head = h11.Request(method=method, target=f"/base{path}", headers=encoded + framing)
        return h11.Connection(h11.CLIENT).send(head)
    except (h11.LocalProtocolError, UnicodeEncodeError):
        return None


def written(method: str, path: str, fields: Fields) -> bytes | None:
    try:
        return call(method, path, fields).head()
    except Unwritable:
        return None


def test_it_is_what_h11_writes_or_refused_where_that_refuses() -> None:
    rng = random.Random(1)

    def odd(usual: str) -> str:
        some = rng.choice(OTHERS)
        return rng.choice([usual] * 8 + [some, usual + some, some + usual, "a" + some + "b"])

    refused = 0

    for _ in range(EACH):
        fields = [HOST] + [(odd("X-Name"), odd("value; a=b")) for _ in range(rng.randrange(4))]
        asked = (odd(rng.choice(["GET", "POST"])), "/" + odd("app?a=%20&b"), fields)
        found = written(*asked)
        refused += found is None
        assert found == written_by_h11(*asked), asked

    assert EACH / 5 < refused < EACH * 4 / 5


@pytest.mark.parametrize(
    "fields",
    [
        [],
        [("Accept", "*/*"), HOST],
        [HOST, ("hOST", "evil.example")],
        [HOST, ("Content-Length", "5")],
        [HOST, ("transfer-encoding", "chunked")],
        [HOST, ("X-A", "a\r\nX-B: b")],
        [HOST, ("X-A", "a\nX-B: b")],
        [HOST, ("X-A", "a\r\n\r\nGET /evil HTTP/1.1")],
        [HOST, ("X-A: a\r\nX-B", "b")],
        [HOST, ("X-A", "a\0")],
    ],
)
def test_one_host_no_framing_but_ours_and_no_other_lines(fields: Fields) -> None:
    with pytest.raises(Unwritable) as raised:
        call("GET", "/app", fields).head()

    assert "evil" not in str(raised.value)


@pytest.mark.parametrize(
    ("upload", "framing"),
    [
        (CallerBody(BytesInput(b"abc"), None), b"Transfer-Encoding: chunked"),
        (CallerBody.of_bytes(b"abc"), b"Content-Length: 3"),
        (None, b"Content-Length: 0"),
    ],
    ids=["chunked", "sized", "none"],
)
def test_it_is_framed_as_the_body_came(upload: CallerBody | None, framing: bytes) -> None:
    head = call("POST", "/app", [HOST], upload).head()

    assert head == b"POST /base/app HTTP/1.1\r\nHost: up.example\r\n" + framing + b"\r\n\r\n"
