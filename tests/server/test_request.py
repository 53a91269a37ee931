"""A head is read as gunicorn's own code reads it, whichever way it is taken apart."""

import random
from collections.abc import Sequence
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import message
from gunicorn.http.parser import RequestParser

from chatproxy.server.request import LARGEST_HEAD, Parser

PLAIN = (
    b"GET /proxy/app?x=1 HTTP/1.1\r\nHost: a:80\r\nAccept: */*\r\nConnection: close\r\n\r\n",
    b"POST /a;b/c?d=%7B? HTTP/1.1\r\nHost: a\r\nContent-Type: x/y\r\nContent-Length: 2\r\n\r\n{}",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"PUT /x HTTP/1.0\r\nX-A:\r\nx-a:b  c \r\nConnection: keep-alive\r\n\r\n",
    b"GET / HTTP/1.1\r\n\r\n",
    b"PUT / HTTP/1.1\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2000 + b"GET / HTTP/1.1\r\n\r\n",
)

UNUSUAL = (
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nX_Y: 1\r\n\r\n",
    b"GET //y#z HTTP/1.1\r\nX-A: b\tc\r\nX-\xe9: d\r\nE: \xe9\xa0\r\n\r\n",
    b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
    b"GET http://b/c?d HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Type: a\r\nContent-type: a\r\n\r\n",
    b"GET //a/b?c HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a#b?c HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a?b#c HTTP/1.1\r\nHost: a\r\n\r\n",
)

#: Plain under the shipped settings, and not under each.
DEPENDING = (
    b"PROXY /a HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nX-A: b\r\n\r\n",
)

HEADS = PLAIN + UNUSUAL + DEPENDING

INSERTED = (
    *(b"\r\n", b"\n", b"\r", b"\r\n\r\n", b":", b" ", b"\t", b"\0", b"\x0b", b"\x1c", b"\x7f"),
    *(b"\x85", b"\xa0", b"\xe9", b"/", b"//", b"#", b"?", b"*", b"[", b"\\", b"_", b" HTTP/1.1"),
    *(b"HTTP/2.0", b"get", b"GETGETGETGETGETGETGET", b"Host: b\r\n", b"content-type: x\r\n"),
    *(b"Content-Length: 1\r\n", b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n"),
    *(b"Expect: x\r\n", b"X_Y: 1\r\n", b" folded\r\n", b": x\r\n", b"A: b\r\n" * 101),
    *(b"x" * 70, b"x" * 8000, b"x" * 8190, b"/" + b"x" * 8186),
)

SETTINGS: dict[str, dict[str, Any]] = {
    "as shipped": {},
    "with a field that may have a _": {
        "forwarded_allow_ips": "*",
        "forwarder_headers": "X_Y,SCRIPT_NAME",
    },
    "with narrow limits": {
        "limit_request_line": 30,
        "limit_request_fields": 2,
        "limit_request_field_size": 40,
    },
    "without limits": {"limit_request_line": 0, "limit_request_fields": 0},
    "behind a proxy": {"forwarded_allow_ips": "*", "secure_scheme_headers": {"X-A": "b"}},
    "behind one that says so": {"proxy_protocol": "auto", "proxy_allow_ips": "*"},
    "lax": {
        "casefold_http_method": True,
        "permit_obsolete_folding": True,
        "permit_unconventional_http_method": True,
        "permit_unconventional_http_version": True,
        "strip_header_spaces": True,
        "header_map": "dangerous",
    },
}


class TheirRequest(message.Request):
    max_buffer_headers = LARGEST_HEAD

    def __setattr__(self, name: str, value: object) -> None:
        if name != "max_buffer_headers":
            super().__setattr__(name, value)


class TheirParser(RequestParser):
    mesg_class = TheirRequest


def configured(**settings: Any) -> Config:
    made = Config()
    shipped = {"limit_request_line": 8190, "secure_scheme_headers": {}, "http_parser": "python"}

    for name, value in (shipped | {"forwarded_allow_ips": ""} | settings).items():
        made.set(name, value)

    return made


def read(
    parser: type[RequestParser], cfg: Config, pieces: Sequence[bytes], most: int | None = None
) -> list[Any]:
    """Everything that is read, `most` bytes of each body, and how it ended."""
    requests = parser(cfg, iter(pieces), ("127.0.0.1", 1))
    found: list[Any] = []

    try:
        for one in requests:
            found.append((one.method, one.uri, one.path, one.query, one.fragment, one.version))
            found.append((one.headers, one.scheme, one.proxy_protocol_info))
            found.append((one._expected_100_continue, one.should_close()))
            found.append((type(one.body.reader), one.body.read(most), one.trailers))
    except Exception as error:
        found.append((type(error), str(error)))

    return found


def mutated(chance: random.Random) -> list[bytes]:
    data = bytearray(chance.choice(HEADS))

    for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
        at = chance.randrange(len(data))
        way = chance.randrange(4)

        if way == 0:
            data[at : at + 1] = chance.choice(INSERTED)
        elif way == 1:
            data[at:at] = chance.choice(INSERTED)
        elif way == 2:
            data[at] = chance.randrange(256)
        else:
            data += chance.choice(HEADS)

    at = chance.choice((0, chance.randrange(len(data))))
    return [piece for piece in (bytes(data[:at]), bytes(data[at:])) if piece]


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_it_is_read_as_gunicorn_reads_it(settings: dict[str, Any]) -> None:
    cfg = configured(**settings)
    chance = random.Random(14)

    for pieces in [[head] for head in HEADS] + [mutated(chance) for _ in range(500)]:
        for most in (None, 1):
            ours, theirs = (read(one, cfg, pieces, most) for one in (Parser, TheirParser))
            assert ours == theirs, pieces


def test_after_a_body_that_could_not_be_read_nothing_is() -> None:
    requests = Parser(configured(), iter([b"GET / HTTP/1.1\r\n\r\n"] * 2), ("127.0.0.1", 1))
    next(requests).body.failed = True

    with pytest.raises(StopIteration):
        next(requests)


def test_a_request_can_still_be_made_the_last() -> None:
    requests = Parser(configured(), iter([b"GET / HTTP/1.1\r\n\r\n"] * 2), ("127.0.0.1", 1))
    first = next(requests)
    assert not first.should_close()
    first.force_close()
    assert first.should_close()


@pytest.mark.parametrize("head", PLAIN)
def test_a_plain_one_needs_none_of_its_code(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(message.Request, "_parse_python")

    assert next(Parser(configured(), iter([head]), ("127.0.0.1", 1))).uri


@pytest.mark.parametrize("head", UNUSUAL)
def test_any_other_is_left_to_it(head: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(message.Request, "_parse_python")

    with pytest.raises(AttributeError):
        next(Parser(configured(), iter([head]), ("127.0.0.1", 1)))
