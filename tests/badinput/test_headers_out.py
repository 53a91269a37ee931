"""Header fields, out to the provider and back from it; answers that are none."""

import base64
import gzip
import hashlib
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.badinput.canned import CannedUpstream
from tests.badinput.conversation import CREDENTIALS, envelope, only_arrival, rows, said_until_closed
from tests.canaries import API_KEY, API_SECRET, COOKIE, PASSWORD, SERVER_TOKEN
from tests.sidecar import Sidecar
from tests.wire import RawAnswer, answer_on, ask, connected, get, post

#: What the sidecar adds to every answer that it passes on, before the id.
INERT = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
]

STAYS_BEHIND = {
    "Connection": (["Connection: keep-alive"], "connection"),
    "Keep-Alive": (["Keep-Alive: timeout=5"], "keep-alive"),
    "Proxy-Connection": (["Proxy-Connection: keep-alive"], "proxy-connection"),
    "Proxy-Authorization": ([f"Proxy-Authorization: Basic {PASSWORD}"], "proxy-authorization"),
    "Proxy-Authenticate": (["Proxy-Authenticate: Basic"], "proxy-authenticate"),
    "TE": (["TE: trailers, deflate;q=0.5"], "te"),
    "Trailer": (["Trailer: X-Sum"], "trailer"),
    "Upgrade": (["Connection: upgrade", "Upgrade: h2c"], "upgrade"),
    "named by Connection": (["Connection: x-named", "X-Named: a"], "x-named"),
    "named in other case": (["Connection: X-NAMED", "x-named: a"], "x-named"),
    "named among others": (["Connection: close,, x-named ,te", "X-Named: a"], "x-named"),
    "named in a second field": (["Connection: a", "Connection: x-named", "X-Named: a"], "x-named"),
    "named Content-Type": (["Connection: content-type", "Content-Type: a/b"], "content-type"),
    "Proxy": (["Proxy: http://evil.example"], "proxy"),
    "Forwarded": (["Forwarded: for=10.0.0.1"], "forwarded"),
    "Via": (["Via: 1.1 a"], "via"),
    "X-Forwarded-For": (["X-Forwarded-For: 10.0.0.1"], "x-forwarded-for"),
    "X-Forwarded-Host": (["X-Forwarded-Host: evil.example"], "x-forwarded-host"),
    "X-Forwarded-Proto": (["X-Forwarded-Proto: https"], "x-forwarded-proto"),
    "X-Forwarded-Anything": (["x-forwarded-anything: a"], "x-forwarded-anything"),
    "X-Real-IP": (["X-Real-IP: 10.0.0.1"], "x-real-ip"),
    "Cookie": ([f"Cookie: a={COOKIE}"], "cookie"),
    "user id": (["miauserid: alice"], "miauserid"),
    "user's groups": (["miausergroups: a,b"], "miausergroups"),
    "user's properties": (['miauserproperties: {"_id":"a"}'], "miauserproperties"),
    "user id at its default": (["userid: alice"], "userid"),
    "client type": (["client-type: web"], "client-type"),
    "client type in one word": (["clienttype: web"], "clienttype"),
    "back office": (["isbackoffice: 1"], "isbackoffice"),
    "underscore": (["X_Under_Score: a"], "x_under_score"),
    "underscore as hyphen": (["X_Under_Score: a"], "x-under-score"),
}

ARRIVES = {
    "Accept": ("Accept: application/json;q=0.9, */*", "application/json;q=0.9, */*"),
    "Accept-Encoding": ("Accept-Encoding: gzip, br;q=0", "gzip, br;q=0"),
    "Accept-Language": ("accept-language: *", "*"),
    "User-Agent": ("User-Agent: sdk/1 (a; b)", "sdk/1 (a; b)"),
    "Range": ("Range: bytes=0-0,-1", "bytes=0-0,-1"),
    "If-None-Match": ('If-None-Match: "a", W/"b"', '"a", W/"b"'),
    "If-Modified-Since": (
        "If-Modified-Since: Fri, 20 Nov 2026 00:00:00 GMT",
        "Fri, 20 Nov 2026 00:00:00 GMT",
    ),
    "X-Request-Id": ("x-request-id: a-b", "a-b"),
    "boundary": (
        'Content-Type: multipart/form-data; boundary="a b:c"',
        'multipart/form-data; boundary="a b:c"',
    ),
    "Content-Language": ("Content-Language: de", "de"),
    "odd name": ("X-!#$%&'*+.^`|~9: a", "a"),
    "empty value": ("X-Empty:", ""),
    "tab within": ("X-Tab: a\tb", "a\tb"),
    "white space around": ("X-Padded: \t a b \t ", "a b"),
    "Latin-1": ("X-Name: Zo\xeb", "Zo\xeb"),
    "UTF-8": ("X-Name: \xe2\x82\xac", "\xe2\x82\xac"),
    "8 kB": ("X-Long: " + "a" * 8000, "a" * 8000),
    "quotes": ('X-Quotes: "a\\"b", <c>', '"a\\"b", <c>'),
}

BROKEN = {
    "nothing": b"",
    "half a status line": b"HTTP/1.1 20",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Len",
    "junk": b"\x15\x03\x01\x00\x02\x02\x46\r\n\r\n",
    "line of a mail server": b"220 mail ready\r\n\r\n",
    "other protocol": b"ICY 200 OK\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\n\r\n",
    "HTTP/1": b"HTTP/1 200 OK\r\n\r\n",
    "status 99": b"HTTP/1.1 99 Low\r\n\r\n",
    "status 099": b"HTTP/1.1 099 Low\r\n\r\n",
    "status 1000": b"HTTP/1.1 1000 High\r\n\r\n",
    "status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
    "status negative": b"HTTP/1.1 -20 OK\r\n\r\n",
    "two spaces": b"HTTP/1.1  200 OK\r\n\r\n",
    "NUL in the reason": b"HTTP/1.1 200 O\x00K\r\nContent-Length: 0\r\n\r\n",
    "escape in the reason": b"HTTP/1.1 200 O\x1bK\r\nContent-Length: 0\r\n\r\n",
    "DEL in the reason": b"HTTP/1.1 200 O\x7fK\r\nContent-Length: 0\r\n\r\n",
    "no colon": b"HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 0\r\n\r\n",
    "empty name": b"HTTP/1.1 200 OK\r\n: a\r\nContent-Length: 0\r\n\r\n",
    "space in the name": b"HTTP/1.1 200 OK\r\nX A: a\r\nContent-Length: 0\r\n\r\n",
    "space before the colon": b"HTTP/1.1 200 OK\r\nContent-Length : 0\r\n\r\n",
    "Latin-1 in the name": b"HTTP/1.1 200 OK\r\nX-\xc4: a\r\nContent-Length: 0\r\n\r\n",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nX-A: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "CR in a value": b"HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 0\r\n\r\n",
    "escape in a value": b"HTTP/1.1 200 OK\r\nX-A: \x1b[31m\r\nContent-Length: 0\r\n\r\n",
    "DEL in a value": b"HTTP/1.1 200 OK\r\nX-A: a\x7fb\r\nContent-Length: 0\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "list of lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\nab",
    "length with a plus": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nab",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -2\r\n\r\nab",
    "hexadecimal length": b"HTTP/1.1 200 OK\r\nContent-Length: 0x2\r\n\r\nab",
    "length of letters": b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\nab",
    "length of 40 digits": b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 40 + b"\r\n\r\nab",
    "coding gzip": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nab",
    "coding gzip and chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0",
    "chunked twice": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "70 kB field": b"HTTP/1.1 200 OK\r\nX-A: " + b"a" * 70_000 + b"\r\n\r\n",
    "101 fields": b"HTTP/1.1 200 OK\r\n" + b"X-A: a\r\n" * 101 + b"\r\n",
    "head without an end": b"HTTP/1.1 200 OK\r\n" + b"X-A: a\r\n" * 20_000,
    "101 unasked": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: a\r\n\r\nab",
    "interim only": b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" * 3,
}

BREAKS_OFF = {
    "short of its length": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "length 10^18": b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000000000\r\n\r\nhel",
    "no body at all": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
    "chunk without its end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
    "no last chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n",
    "size of letters": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\nzz\r\n",
    "negative size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nhel\r\n",
    "data past the size": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nhel\r\n",
}

FAULTS = {
    "bad field line": ("bad-header", 502),
    "NUL in a field": ("nul-header", 502),
    "two lengths": ("two-lengths", 502),
    "150 fields": ("many-headers", 502),
    "70 kB field": ("huge-header", 502),
    "101 unasked": ("switch", 502),
    "status 99": ("status-line=HTTP/1.1 99 Low", 502),
    "no HTTP": ("status-line=FTP/1.1 200 OK", 502),
    "status 999": ("status-line=HTTP/1.1 999 Odd", 999),
    "status without a reason": ("status-line=HTTP/1.1 200", 200),
    "HTTP/1.0": ("status-line=HTTP/1.0 200 OK", 200),
    "early hints": ("interim=103", 200),
    "processing": ("interim=102", 200),
    "continue unasked": ("interim=100", 200),
    "some 1xx": ("interim=103 x 10", 200),
    "no length": ("no-length", 200),
    "compressed": ("gzip", 200),
}


@pytest.fixture(scope="module")
def canned() -> Iterator[CannedUpstream]:
    with CannedUpstream() as upstream:
        yield upstream


@pytest.fixture(scope="module")
def before_canned(canned, sidecar_before) -> Iterator[Sidecar]:
    with sidecar_before(canned.url, UPSTREAM_READ_TIMEOUT="3") as running:
        workers = running.workers()
        yield running
        assert running.workers() == workers


@pytest.mark.parametrize(("lines", "name"), rows(STAYS_BEHIND))
def test_field_of_the_hop_or_of_a_person_stays(sidecar, upstream, lines, name):
    assert ask(sidecar.port, get("/proxy/app", *lines)).status == 200
    assert only_arrival(upstream).values(name) == []


@pytest.mark.parametrize(("line", "value"), rows(ARRIVES))
def test_other_field_arrives_once_and_unchanged(sidecar, upstream, line, value):
    assert ask(sidecar.port, get("/proxy/app", line)).status == 200
    assert only_arrival(upstream).values(line.partition(":")[0]) == [value]


def test_nothing_is_added_but_what_is_ours(sidecar, upstream):
    """Names come in WSGI's canonical case. Without `identity` any coding could come back."""
    ask(sidecar.port, get("/proxy/app", "x-stream-client: a", "ACCEPT: b"))
    names = [name.decode() for name, _ in only_arrival(upstream).headers]
    ours = ["Authorization", "stream-auth-type"]
    assert names == ["Host", "X-Stream-Client", "Accept", "Accept-Encoding", *ours]
    assert upstream.journal[0].values("accept-encoding") == ["identity"]


def test_repeated_field_is_joined_into_one(sidecar, upstream):
    ask(sidecar.port, get("/proxy/app", "X-Dup: a", "x-dup: b", "X-DUP: c"))
    assert only_arrival(upstream).values("x-dup") == ["a,b,c"]


@pytest.mark.parametrize(("method", "length"), [("GET", []), ("DELETE", []), ("POST", ["0"])])
def test_request_without_a_body_stays_without(sidecar, upstream, method, length):
    ask(sidecar.port, get("/proxy/_sandbox/echo", method=method))
    entry = only_arrival(upstream)
    assert (entry.body_size, entry.values("content-length")) == (0, length)


def test_coded_body_arrives_with_the_same_digest(sidecar, upstream):
    body = gzip.compress(b"hello " * 10_000)
    lines = ["Content-Encoding: gzip", "Content-Type: application/json"]
    ask(sidecar.port, post("/proxy/_sandbox/echo", body, *lines))
    entry = only_arrival(upstream)
    assert entry.body_sha256 == hashlib.sha256(body).hexdigest()
    assert entry.values("content-encoding") == ["gzip"]


@pytest.mark.parametrize(("fault", "status"), rows(FAULTS))
def test_odd_answer_is_whole_or_a_502(sidecar, upstream, fault, status):
    answer = ask(sidecar.port, get("/proxy/app", f"X-Sandbox-Fault: {fault}"))
    assert (answer.status, answer.complete, answer.interim) == (status, True, [])
    assert status != 502 or envelope(answer)["code"] == -1
    only_arrival(upstream)


@pytest.mark.parametrize("raw", rows(BROKEN))
def test_answer_that_is_not_http_is_a_502(before_canned, canned, raw):
    canned.says()
    canned.answer = raw
    answer = ask(before_canned.port, get("/proxy/app"))
    assert answer.status == 502
    assert envelope(answer)["code"] == -1
    assert len(canned.requests) == 1


@pytest.mark.parametrize("first", [60_000, 100_000])
def test_head_above_its_limit_is_a_502_in_any_pieces(before_canned, canned, first):
    canned.says("HTTP/1.1 200 OK", *[f"X-A: {'a' * 40_000}"] * 3, "Content-Length: 0")
    canned.first = first
    assert ask(before_canned.port, get("/proxy/app")).status == 502


@pytest.mark.parametrize("raw", rows(BREAKS_OFF))
def test_answer_that_breaks_off_looks_broken(before_canned, canned, raw):
    canned.says()
    canned.answer = raw
    answer = ask(before_canned.port, get("/proxy/app"))
    assert (answer.status, answer.complete) == (200, False)
    assert b"hel".startswith(answer.body)


def test_coded_answer_comes_back_with_its_digest(before_canned, canned):
    body = gzip.compress(bytes(100_000))
    lines = ["Content-Encoding: gzip", 'ETag: W/"a"', f"Content-Length: {len(body)}"]
    canned.says("HTTP/1.1 206 Partial Content", *lines, body=body)
    answer = ask(before_canned.port, get("/proxy/app", "Accept-Encoding: gzip"))
    assert hashlib.sha256(answer.body).digest() == hashlib.sha256(body).digest()
    assert [f"{name}: {value}" for name, value in _fields(answer)] == lines


def test_case_order_and_repetition_are_kept(before_canned, canned):
    fields = ["x-ratelimit-limit: 300", "X-MiXeD: a", "Link: <a>", "link: <b>", "Link: <c>"]
    more = ["Date: Thu, 01 Jan 1970 00:00:00 GMT", "Server: theirs", "Vary: a", "Vary: b"]
    canned.says("HTTP/1.1 200 Fine by me", *fields, *more, "Content-Length: 2", body=b"ab")
    answer = ask(before_canned.port, get("/proxy/app"))
    wanted = [*fields, *more, "Content-Length: 2"]
    assert [f"{name}: {value}" for name, value in _fields(answer)] == wanted
    assert (answer.reason, answer.body) == ("Fine by me", b"ab")


def test_odd_but_valid_values_come_back_unchanged(before_canned, canned):
    fields = ["X-Empty: ", "X-Latin: Zo\xeb", "X-Tab: a\tb", "X-!#$%&'*+.^`|~9: a", "X_Under: a"]
    canned.says("HTTP/1.1 200 Z\xe4hlt", *fields, "Content-Length: 0")
    answer = ask(before_canned.port, get("/proxy/app"))
    assert [f"{name}: {value}" for name, value in _fields(answer)][:-1] == fields
    assert answer.reason == "Z\xe4hlt"


@pytest.mark.parametrize(
    "line",
    [
        *("Set-Cookie: a=b", "set-cookie: a=b", "Set-Cookie2: a=b"),
        *("Keep-Alive: timeout=5", "Proxy-Authenticate: Basic", "Upgrade: h2c", "Trailer: X-A"),
        *("Proxy-Connection: close", "TE: trailers"),
    ],
)
def test_field_of_the_hop_does_not_come_back(before_canned, canned, line):
    canned.says("HTTP/1.1 200 OK", line, line, "X-Kept: a", "Content-Length: 0")
    names = [name.lower() for name, _ in _fields(ask(before_canned.port, get("/proxy/app")))]
    assert names == ["x-kept", "content-length"]


@pytest.mark.parametrize(
    "line",
    [
        *('Clear-Site-Data: "*"', "Service-Worker-Allowed: /", 'Alt-Svc: h3=":443"'),
        *("Strict-Transport-Security: max-age=9", "NEL: {}", "Report-To: {}"),
        *("X-Content-Type-Options: none", "x-content-type-options: nosniff"),
    ],
)
def test_field_for_all_of_an_origin_is_not_for_ours(before_canned, canned, line):
    canned.says("HTTP/1.1 200 OK", line, line, "X-Kept: a", "Content-Length: 0")
    names = [name.lower() for name, _ in _fields(ask(before_canned.port, get("/proxy/app")))]
    assert names == ["x-kept", "content-length"]


def test_policy_of_the_provider_applies_beside_ours(before_canned, canned):
    """Of several every one counts, so none can be weakened by another."""
    theirs = "Content-Security-Policy: default-src *; sandbox allow-scripts allow-same-origin"
    canned.says("HTTP/1.1 200 OK", theirs, "Content-Length: 0")
    answer = ask(before_canned.port, get("/proxy/app"))
    assert [f"{name}: {value}" for name, value in _fields(answer)] == [theirs, "Content-Length: 0"]


@pytest.mark.parametrize("status", [201, 204, 302, 304, 401, 404, 429, 500, 503])
def test_answer_of_any_status_is_inert_in_our_origin(before_canned, canned, status):
    canned.says(f"HTTP/1.1 {status} Any", "Content-Type: text/html", "Location: /x")
    answer = ask(before_canned.port, get("/proxy/app"))
    assert (answer.status, answer.fields[-3:-1]) == (status, INERT)


def test_field_that_the_answer_names_stays_behind(before_canned, canned):
    fields = ["Connection: X-NAMED, close", "X-Named: a", "X-Kept: a"]
    canned.says("HTTP/1.1 200 OK", *fields, "Content-Length: 0")
    answer = ask(before_canned.port, get("/proxy/app"))
    assert _fields(answer) == [("X-Kept", "a"), ("Content-Length", "0")]


def test_length_named_by_connection_still_frames(before_canned, canned):
    lines = ["HTTP/1.1 200 OK", "Connection: content-length", "Content-Length: 2"]
    canned.says(*lines, body=b"ab")
    answer = ask(before_canned.port, get("/proxy/app"))
    assert (answer.complete, answer.body) == (True, b"ab")


def test_answer_with_length_and_chunks_is_not_cut(before_canned, canned):
    """Chunks win (RFC 9112 6.3); with the length passed on, the caller would be misled."""
    lines = ["HTTP/1.1 200 OK", "Content-Length: 2", "Transfer-Encoding: chunked"]
    canned.says(*lines, body=b"5\r\nhello\r\n0\r\n\r\n")
    answer = ask(before_canned.port, get("/proxy/app"))
    assert answer.status == 502 or (answer.complete, answer.body) == (True, b"hello")
    assert answer.status == 502 or answer.header("content-length") is None


@pytest.mark.parametrize("length", ["2, 2", "2,2", "02"])
def test_odd_length_of_an_answer_comes_back_plain(before_canned, canned, length):
    canned.says("HTTP/1.1 200 OK", f"Content-Length: {length}", body=b"ab")
    answer = ask(before_canned.port, get("/proxy/app"))
    assert answer.status == 502 or (answer.complete, answer.body) == (True, b"ab")


def test_trailers_of_an_answer_do_not_come_back(before_canned, canned):
    lines = ["HTTP/1.1 200 OK", "Transfer-Encoding: chunked"]
    canned.says(*lines, body=b"2\r\nab\r\n0\r\nSet-Cookie: a=b\r\nX-Sum: c\r\n\r\n")
    said = said_until_closed(before_canned.port, get("/proxy/app", "Connection: close"))
    assert said.endswith(b"2\r\nab\r\n0\r\n\r\n")
    assert b"X-Sum" not in said


@pytest.mark.parametrize("status", [204, 304])
def test_body_on_a_bodiless_status_is_no_body(before_canned, canned, status):
    """What follows the head could pass for the answer to the next caller's request."""
    evil = b"HTTP/1.1 200 Evil\r\nContent-Length: 0\r\n\r\n"
    canned.says(f"HTTP/1.1 {status} X", f"Content-Length: {len(evil)}", body=evil, closes=False)

    for _ in range(3):
        answer = ask(before_canned.port, get("/proxy/app"))
        assert (answer.status, answer.body, answer.complete) == (status, b"", True)

    assert len({connection for connection, _ in canned.requests}) == 3


def test_second_answer_unasked_reaches_nobody(before_canned, canned):
    evil = b"HTTP/1.1 200 Evil\r\nContent-Length: 0\r\n\r\n"
    canned.says("HTTP/1.1 200 Good", "Content-Length: 2", body=b"ab" + evil, closes=False)
    reasons = [ask(before_canned.port, get("/proxy/app")).reason for _ in range(5)]
    assert reasons == ["Good"] * 5
    assert len({connection for connection, _ in canned.requests}) == 5


def test_second_answer_that_comes_late_reaches_nobody(before_canned, canned):
    good = b"HTTP/1.1 200 Good\r\nContent-Length: 2\r\n\r\nab"
    canned.says(closes=False)
    canned.answer = good + b"HTTP/1.1 200 Evil\r\nContent-Length: 0\r\n\r\n"
    canned.first = len(good)

    for _ in range(3):
        assert ask(before_canned.port, get("/proxy/app")).reason == "Good"
        time.sleep(0.2)


def test_answer_without_a_body_is_followed_by_the_next(sidecar, upstream):
    with connected(sidecar.port) as sock:
        for fault, status in [("body-on-204", 204), ("status=429", 429), ("interim=103", 200)] * 2:
            sock.sendall(get("/proxy/app", f"X-Sandbox-Fault: {fault}"))
            assert answer_on(sock).status == status

    assert all(entry.target == f"/app?{CREDENTIALS}" for entry in upstream.journal)


def test_status_1xx_is_never_the_answer(before_canned, canned):
    interim = "HTTP/1.1 103 Early Hints\r\nSet-Cookie: a=b\r\nX-Interim: a\r\n\r\n"
    canned.says(f"{interim * 3}HTTP/1.1 201 Made", "Content-Length: 2", body=b"ab")
    said = said_until_closed(before_canned.port, get("/proxy/app", "Connection: close"))
    assert said.startswith(b"HTTP/1.1 201 Made\r\n")
    assert b"X-Interim" not in said


def test_endless_head_ends_as_a_timeout(upstream, sidecar_before):
    """A limit on each read alone would never pass."""
    limits = {"UPSTREAM_READ_TIMEOUT": "1", "UPSTREAM_TOTAL_TIMEOUT": "1"}

    with sidecar_before(upstream.url, **limits) as hasty:
        for fault in ("interim=103 x 999999", "drip-head=0.2"):
            answer = ask(hasty.port, get("/proxy/app", f"X-Sandbox-Fault: {fault}"))
            assert answer.status in (502, 504)
            assert (envelope(answer)["code"], answer.interim) in [(-1, []), (23, [])]


def test_storm_of_1xx_holds_up_nobody_else(before_canned, canned):
    """They are ready at once, so the worker never has to wait and serves nobody meanwhile."""
    interim = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
    canned.says(f"{interim * 100_000}HTTP/1.1 200 OK", "Content-Length: 0")

    with connected(before_canned.port) as sock:
        sock.sendall(get("/proxy/app"))
        time.sleep(0.05)
        started = time.monotonic()
        assert ask(before_canned.port, get("/-/healthz")).status == 200
        assert time.monotonic() - started < 0.4
        assert answer_on(sock).status in (200, 502)


def test_answer_without_a_reason_gets_the_usual_one(before_canned, canned):
    canned.says("HTTP/1.1 201 ", "Content-Length: 0")
    assert ask(before_canned.port, get("/proxy/app")).reason == "Created"


LOCATIONS = {
    "other host": ("https://evil.example/a?b=c", "https://evil.example/a?b=c"),
    "other host with the key": (
        "https://evil.example/a?api_key=K&b=c",
        "https://evil.example/a?b=c",
    ),
    "other host, encoded name": ("https://evil.example/a?api%5fkey=K", "https://evil.example/a"),
    "no scheme": ("//evil.example/a", "//evil.example/a"),
    "path": ("/a?api_key=K&b=c", "/proxy/a?b=c"),
    "own host": ("BASE/a/b?c", "/proxy/a/b?c"),
    "own host at the root": ("BASE", "/proxy"),
    "own host as a prefix": ("BASE.evil.example/a", "BASE.evil.example/a"),
    "relative": ("a/b", "a/b"),
}


@pytest.mark.parametrize(("location", "wanted"), rows(LOCATIONS))
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_handed_on_not_followed(before_canned, canned, status, location, wanted):
    location, wanted = (text.replace("BASE", canned.url) for text in (location, wanted))
    canned.says(f"HTTP/1.1 {status} X", f"Location: {location}", "Content-Length: 0")
    answer = ask(before_canned.port, get("/proxy/app"))
    assert (answer.status, answer.header("location")) == (status, wanted)
    assert len(canned.requests) == 1


PLACES = ("Content-Location", "Link", "Refresh")
ENCODINGS = {
    "as it stands": str,
    "URL-encoded": lambda secret: quote(secret, safe=""),
    "every byte escaped": lambda secret: "".join(f"%{ord(one):02x}" for one in secret),
    "escaped twice": lambda secret: "".join(f"%25{ord(one):02X}" for one in secret),
    "base64": lambda secret: base64.b64encode(secret.encode()).decode(),
    "base64 behind a name": lambda secret: base64.b64encode(b"user:" + secret.encode()).decode(),
    "base64url, escaped": lambda secret: quote(
        base64.urlsafe_b64encode(b"k:" + secret.encode()).decode(), safe=""
    ),
}
SECRETS = {
    "API key": API_KEY,
    "API secret": API_SECRET,
    "server token": SERVER_TOKEN,
    "its signature": SERVER_TOKEN.rpartition(".")[2],
}


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("secret", SECRETS.values(), ids=SECRETS)
def test_no_place_that_an_answer_names_holds_a_secret(before_canned, canned, secret, encode):
    place = f"https://elsewhere.example/a?b={encode(secret)}"
    canned.says(
        "HTTP/1.1 302 X",
        f"Location: {place}",
        f"content-location: {place}",
        f"Link: <{place}>; rel=next",
        "LINK: </harmless>; rel=prev",
        f"Refresh: 5; url={place}",
        "Content-Length: 0",
    )
    answer = ask(before_canned.port, get("/proxy/app"))

    named = {"location", "content-location", "link", "refresh"}
    assert [pair for pair in answer.fields if pair[0].lower() in named] == [
        ("LINK", "</harmless>; rel=prev")
    ]


def test_a_place_without_a_secret_is_left_as_it_is(before_canned, canned):
    places = ["Content-Location: /a?x=%2F", "Link: </b>", "Link: <c>; rel=x", "Refresh: 1"]
    canned.says("HTTP/1.1 200 X", *places, "Content-Length: 0")
    answer = ask(before_canned.port, get("/proxy/app"))

    assert [f"{name}: {value}" for name, value in answer.fields if name in PLACES] == places


def _fields(answer: RawAnswer) -> list[tuple[str, str]]:
    """The answer's fields less those that the server in front puts around them."""
    *fields, options, policy, (last, _) = [
        pair for pair in answer.fields if pair != ("Server", "gunicorn")
    ]
    assert [options, policy] == INERT
    assert last == "X-Request-Id"
    given = any(name.lower() == "server" for name, _ in fields)
    own = {"connection"} if given else {"connection", "date"}
    return [pair for pair in fields if pair[0].lower() not in own]
