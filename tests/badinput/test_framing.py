"""Requests that are not HTTP, or that two servers could take for different ones.

The server in front refuses most of them and keeps its own words; what is refused
under `/proxy` by the sidecar itself has the provider's envelope.
"""

import json

import pytest

from tests.badinput.conversation import (
    CREDENTIALS,
    STATUS_LINE,
    check_nothing_arrived,
    check_nothing_whole_arrived,
    envelope,
    only_arrival,
    refused,
    rows,
    said_until_closed,
    the_answer_in,
)
from tests.canaries import BEARER, COOKIE, PASSWORD, QUERY_KEY
from tests.wire import ask, chunked, connected, get, post

TARGET = "/proxy/_sandbox/echo"
LONGEST_LINE = 8190


def framed(*lines: str, body: bytes = b"hello") -> bytes:
    """A request that says of its body what the lines say, with secrets beside it."""
    private = [f"Authorization: Bearer {BEARER}", f"Cookie: a={COOKIE}"]
    return get(f"{TARGET}?api_key={QUERY_KEY}", *private, *lines, method="POST") + body


def coded(body: bytes) -> bytes:
    return framed("Transfer-Encoding: chunked", body=body)


def bare(line: str, *lines: str) -> bytes:
    """A request of exactly these lines."""
    return ("\r\n".join([line, *lines]) + "\r\n\r\n").encode("latin-1")


def host(value: str) -> bytes:
    return bare("GET /proxy/app HTTP/1.1", f"Host: {value}")


CHUNKS = b"5\r\nhello\r\n0\r\n\r\n"
CHUNKED = "Transfer-Encoding: chunked"

LENGTHS = {
    "length then chunked": (framed("Content-Length: 5", CHUNKED, body=CHUNKS), {400}),
    "chunked then length": (framed(CHUNKED, "Content-Length: 5", body=CHUNKS), {400}),
    "chunked and length 0": (framed(CHUNKED, "Content-Length: 0", body=CHUNKS), {400}),
    "two lengths, same": (framed("Content-Length: 5", "Content-Length: 5"), {400}),
    "two lengths, different": (framed("Content-Length: 5", "Content-Length: 4"), {400}),
    "two lengths, other case": (framed("Content-Length: 5", "content-length: 4"), {400}),
    "list of same": (framed("Content-Length: 5, 5"), {400}),
    "list of different": (framed("Content-Length: 5,4"), {400}),
    "plus": (framed("Content-Length: +5"), {400}),
    "minus": (framed("Content-Length: -5"), {400}),
    "minus zero": (framed("Content-Length: -0"), {400}),
    "hexadecimal": (framed("Content-Length: 0x5"), {400}),
    "underscore": (framed("Content-Length: 1_0"), {400}),
    "empty": (framed("Content-Length:"), {400}),
    "space within": (framed("Content-Length: 5 5"), {400}),
    "decimal point": (framed("Content-Length: 5.0"), {400}),
    "exponent": (framed("Content-Length: 5e0"), {400}),
    "parameter": (framed("Content-Length: 5;a=b"), {400}),
    "superscript two": (framed("Content-Length: \xb2"), {400}),
    "one half": (framed("Content-Length: \xbd"), {400}),
    "40 digits": (framed("Content-Length: " + "9" * 40), {400, 413}),
    "5,000 digits": (framed("Content-Length: " + "9" * 5000), {400, 413}),
}

CODINGS = {
    "chunked twice": (framed(f"{CHUNKED}, chunked", body=CHUNKS), {400}),
    "chunked twice, two fields": (framed(CHUNKED, CHUNKED, body=CHUNKS), {400}),
    "xchunked": (framed("Transfer-Encoding: xchunked", body=CHUNKS), {501}),
    "chunked with parameter": (framed(f"{CHUNKED};q=1", body=CHUNKS), {501}),
    "quoted": (framed('Transfer-Encoding: "chunked"', body=CHUNKS), {501}),
    "trailing comma": (framed(f"{CHUNKED},", body=CHUNKS), {400, 501}),
    "leading comma": (framed("Transfer-Encoding: ,chunked", body=CHUNKS), {400, 501}),
    "empty": (framed("Transfer-Encoding:", body=CHUNKS), {400, 501}),
    "vertical tab": (framed(f"{CHUNKED}\x0b", body=CHUNKS), {400}),
    "form feed": (framed(f"{CHUNKED}\x0c", body=CHUNKS), {400}),
    "NUL": (framed(f"{CHUNKED}\x00", body=CHUNKS), {400}),
    "folded": (framed("Transfer-Encoding:", " chunked", body=CHUNKS), {400}),
    "space before the colon": (framed("Transfer-Encoding : chunked", body=CHUNKS), {400}),
    "identity": (framed("Transfer-Encoding: identity"), {400}),
    "identity and length": (framed("Transfer-Encoding: identity", "Content-Length: 5"), {400}),
    "gzip alone": (framed("Transfer-Encoding: gzip", body=CHUNKS), {400}),
    "chunked before gzip": (framed(f"{CHUNKED}, gzip", body=CHUNKS), {400}),
    "HTTP/1.0": (coded(CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0"), {400}),
}

OUR_CODINGS = {
    "identity before chunked": "identity, chunked",
    "gzip before chunked": "gzip, chunked",
    "deflate before chunked": "deflate,chunked",
}

CHUNKS_REFUSED = {
    "underscore in the size": b"0_5\r\nhello\r\n0\r\n\r\n",
    "plus": b"+5\r\nhello\r\n0\r\n\r\n",
    "minus": b"-5\r\nhello\r\n0\r\n\r\n",
    "hexadecimal prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "leading space": b" 5\r\nhello\r\n0\r\n\r\n",
    "trailing space": b"5 \r\nhello\r\n0\r\n\r\n",
    "no size": b"\r\nhello\r\n0\r\n\r\n",
    "no hexadecimal digit": b"zz\r\nhello\r\n0\r\n\r\n",
    "bare LF": b"5\nhello\r\n0\r\n\r\n",
    "bare LF throughout": b"5\nhello\n0\n\n",
    "bare CR": b"5\rhello\r\n0\r\n\r\n",
    "CR in the extension": b"5;a\rb\r\nhello\r\n0\r\n\r\n",
    "LF in the extension": b"5;a\nb\r\nhello\r\n0\r\n\r\n",
    "NUL in the extension": b"5;a\x00b\r\nhello\r\n0\r\n\r\n",
    "extension of nothing": b"5;\r\nhello\r\n0\r\n\r\n",
    "open quote in the extension": b'5;a="b\r\nhello\r\n0\r\n\r\n',
    "9,000 bytes of extension": b"5;" + b"a" * 9000,
    "data longer than the size": b"5\r\nhello!\r\n0\r\n\r\n",
    "data without its end": b"5\r\nhello0\r\n\r\n",
    "second size is bad": b"5\r\nhello\r\n5g\r\nhello\r\n0\r\n\r\n",
    "size above 64 bits": b"fffffffffffffffff\r\nhello",
    "size that wraps at 64 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n",
    "no last chunk": b"5\r\nhello\r\n",
    "last line end missing": b"5\r\nhello\r\n0\r\n",
    "cut within a chunk": b"5\r\nhel",
    "cut within a size": b"5\r\nhello\r\n1",
    "trailer Content-Length": b"0\r\nContent-Length: 5\r\n\r\n",
    "trailer Transfer-Encoding": b"0\r\nTransfer-Encoding: chunked\r\n\r\n",
    "trailer Host": b"0\r\nHost: evil.example\r\n\r\n",
    "trailer Authorization": f"0\r\nAuthorization: Bearer {BEARER}\r\n\r\n".encode(),
    "trailer TE": b"0\r\nTE: trailers\r\n\r\n",
    "trailer Trailer": b"0\r\nTrailer: a\r\n\r\n",
    "trailer without a colon": b"0\r\nnothing\r\n\r\n",
    "trailer with space before the colon": b"0\r\na : b\r\n\r\n",
    "trailer with bare LF": b"0\r\na: b\n\r\n\r\n",
    "101 trailers": b"0\r\n" + b"a: b\r\n" * 101 + b"\r\n",
}

FIELDS = {
    "space before the colon": (framed("X-A : b"), {400}),
    "tab before the colon": (framed("X-A\t: b"), {400}),
    "empty name": (framed(": b"), {400}),
    "no colon": (framed("X-A"), {400}),
    "folded": (framed("X-A: b", " c"), {400}),
    "space before the first name": (bare("GET /proxy/app HTTP/1.1", " Host: a"), {400}),
    "bracket in the name": (framed("X(A): b"), {400}),
    "Latin-1 in the name": (framed("X-\xc4: b"), {400}),
    "NUL in the name": (framed("X\x00A: b"), {400}),
    "CR in the value": (framed(f"X-A: b\rAuthorization: {BEARER}"), {400}),
    "LF in the value": (framed(f"X-A: b\nAuthorization: {BEARER}"), {400}),
    "NUL in the value": (framed(f"Authorization: Bearer {BEARER}\x00"), {400}),
    "DEL in the value": (framed("X-A: b\x7f"), {400}),
    "escape in the value": (framed("X-A: \x1b[31m"), {400}),
    "bare LF as line end": (b"GET /proxy/app HTTP/1.1\nHost: a\n\n", {400}),
    "bare CR as line end": (b"GET /proxy/app HTTP/1.1\rHost: a\r\r\n\r\n", {400}),
    "101 fields": (framed(*[f"X-{n}: b" for n in range(101)]), {431}),
    "9 kB field": (framed("X-A: " + "b" * 9000), {431}),
    "9 kB name": (framed("X" * 9000 + ": b"), {431}),
    "1 MB of fields": (framed("Authorization: " + "b" * 1_000_000), {431}),
    "two Host": (bare("GET /proxy/app HTTP/1.1", "Host: localhost", "Host: localhost"), {400}),
    "two Content-Type": (framed("Content-Type: a/b", "Content-Type: a/c"), {400}),
    "unknown expectation": (framed("Expect: 200-ok", "Content-Length: 5"), {417}),
}

LINES = {
    "5 bytes over the limit": (get("/proxy/" + "a" * (LONGEST_LINE - 12)), {414}),
    "9 kB": (get("/proxy/app?a=" + "a" * 9000), {414}),
    "1 MB without an end": (b"GET /proxy/" + b"a" * 1_000_000, {414}),
    "lower case method": (get("/proxy/app", method="get"), {400}),
    "mixed case method": (get("/proxy/app", method="Get"), {400}),
    "40 characters of method": (get("/proxy/app", method="G" * 40), {400}),
    "# in the method": (get("/proxy/app", method="GE#T"), {400}),
    "bracket in the method": (get("/proxy/app", method="GE(T"), {400}),
    "no method": (get("/proxy/app", method=""), {400}),
    "no target": (bare("GET  HTTP/1.1", "Host: localhost"), {400}),
    "two spaces": (bare("GET  /proxy/app HTTP/1.1", "Host: localhost"), {400}),
    "tab for space": (bare("GET\t/proxy/app\tHTTP/1.1", "Host: localhost"), {400}),
    "space in the target": (get("/proxy/app /x"), {400}),
    "NUL in the target": (get("/proxy/app\x00"), {400}),
    "raw UTF-8 in the target": (get("/proxy/\xc3\xa9"), {400}),
    "authority form": (get("localhost:80"), {400}),
    "star with GET": (get("*"), {400}),
    "no slash": (get("proxy/app"), {400}),
    "HTTP/0.9 simple": (b"GET /proxy/app\r\n\r\n", {400}),
    "HTTP/0.9": (bare("GET /proxy/app HTTP/0.9", "Host: localhost"), {400, 505}),
    "HTTP/2.0": (bare("GET /proxy/app HTTP/2.0", "Host: localhost"), {400, 505}),
    "HTTP/11.1": (bare("GET /proxy/app HTTP/11.1", "Host: localhost"), {400, 505}),
    "HTTP/1": (bare("GET /proxy/app HTTP/1", "Host: localhost"), {400, 505}),
    "HTTP/1.x": (bare("GET /proxy/app HTTP/1.x", "Host: localhost"), {400, 505}),
    "http/1.1": (bare("GET /proxy/app http/1.1", "Host: localhost"), {400, 505}),
    "space after the version": (bare("GET /proxy/app HTTP/1.1 ", "Host: localhost"), {400, 505}),
    "preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 505}),
    "line of a mail server": (b"HELO localhost\r\n\r\n", {400}),
}

OUR_REFUSALS = {
    "no Host": bare("GET /proxy/app HTTP/1.1"),
    "no Host, other fields": bare("GET /proxy/app HTTP/1.1", "X-Host: a"),
    "empty Host": host(""),
    "Host with comma": host("a,b"),
    "Host with path": host("a/b"),
    "Host with query": host("a?b"),
    "Host with userinfo": host(f"user:{PASSWORD}@a"),
    "Host with space": host("a b"),
    "Host with scheme": host("http://a"),
    "Host with letters for a port": host("a:b"),
    "Host with open bracket": host("[::1"),
    "Host with Latin-1": host("\xe4"),
    "absolute form without a host": get("http:///proxy/app"),
    "absolute form with userinfo": get(f"http://user:{PASSWORD}@evil.example/proxy/app"),
}

OUTSIDE = {
    "OPTIONS star": get("*", method="OPTIONS"),
    "CONNECT": get("evil.example:443", method="CONNECT"),
    "other scheme": get("ftp://evil.example/proxy/app"),
    "script as scheme": get("javascript://evil.example/proxy/app"),
}


@pytest.mark.parametrize(
    ("request_bytes", "statuses"), rows(LENGTHS | {f"coding, {n}": r for n, r in CODINGS.items()})
)
def test_ambiguous_length_is_refused_and_goes_nowhere(sidecar, upstream, request_bytes, statuses):
    refused(sidecar, request_bytes, statuses)
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize(("request_bytes", "statuses"), rows(FIELDS))
def test_malformed_field_is_refused_and_goes_nowhere(sidecar, upstream, request_bytes, statuses):
    refused(sidecar, request_bytes, statuses)
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize(("request_bytes", "statuses"), rows(LINES))
def test_malformed_request_line_is_refused(sidecar, upstream, request_bytes, statuses):
    refused(sidecar, request_bytes, statuses)
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize("coding", rows(OUR_CODINGS))
def test_coding_beside_chunked_is_refused_and_closed(sidecar, upstream, coding):
    """The next request would be looked for in a body that nobody understood."""
    answer = refused(sidecar, framed(f"Transfer-Encoding: {coding}", body=CHUNKS), {400})
    assert "chunked" in envelope(answer)["message"]
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize("body", rows(CHUNKS_REFUSED))
def test_malformed_chunk_is_400_and_never_whole(sidecar, upstream, body):
    answer = refused(sidecar, coded(body), {400}, half_close=True)
    assert envelope(answer)["code"] == 4
    check_nothing_whole_arrived(sidecar, upstream)


@pytest.mark.parametrize("request_bytes", rows(OUR_REFUSALS))
def test_request_without_one_valid_host_is_refused(sidecar, upstream, request_bytes):
    envelope(refused(sidecar, request_bytes, {400}))
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize("request_bytes", rows(OUTSIDE))
def test_target_that_is_no_path_is_refused(sidecar, upstream, request_bytes):
    assert json.loads(refused(sidecar, request_bytes, {400}).body)
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize("sent", [b"", b"hel", b"hell"])
def test_truncated_upload_is_never_taken_for_whole(sidecar, upstream, sent):
    answer = refused(sidecar, framed("Content-Length: 5", body=sent), {400}, half_close=True)
    assert "length" in envelope(answer)["message"]
    check_nothing_whole_arrived(sidecar, upstream)
    assert upstream.journal[0].framing == "sized"


def test_truncated_upload_of_one_gone_is_given_up(sidecar, upstream):
    with connected(sidecar.port) as sock:
        sock.sendall(framed("Content-Length: 10", body=b"hel"))

    check_nothing_whole_arrived(sidecar, upstream)


def test_body_that_stalls_is_408_and_closed(upstream, sidecar_before):
    with sidecar_before(upstream.url, BODY_IDLE_TIMEOUT="0.3") as hasty:
        for request in (framed("Content-Length: 10", body=b"hel"), coded(b"5\r\nhel")):
            upstream.journal.clear()
            assert envelope(refused(hasty, request, {408}))["code"] == 23
            check_nothing_whole_arrived(hasty, upstream)


def test_chunk_sizes_of_huge_bodies_are_413(upstream, sidecar_before):
    with sidecar_before(upstream.url, MAX_BODY_BYTES="4") as narrow:
        assert envelope(refused(narrow, framed("Content-Length: 5"), {413}))["code"] == 22
        assert len(upstream.journal) == 0
        envelope(refused(narrow, coded(CHUNKS), {413}))
        check_nothing_whole_arrived(narrow, upstream)


def test_leading_zeros_of_a_length_are_decimal(sidecar, upstream):
    answer = ask(sidecar.port, framed("Content-Length: 010", body=b"0123456789"))
    entry = only_arrival(upstream)
    assert answer.status == 200
    assert (entry.body, entry.values("content-length")) == (b"0123456789", ["10"])


@pytest.mark.parametrize("value", ["chunked", "Chunked", "\tchunked", "chunked \t"])
def test_well_formed_chunked_arrives_chunked_once(sidecar, upstream, value):
    answer = ask(sidecar.port, framed(f"Transfer-Encoding:{value}", body=CHUNKS))
    entry = only_arrival(upstream)
    assert (answer.status, entry.framing, entry.body) == (200, "chunked", b"hello")
    assert entry.values("transfer-encoding") == ["chunked"]


def test_extension_and_trailer_stay_behind(sidecar, upstream):
    body = b'5;a=b ; c="d"\r\nhello\r\n0\r\nX-Check: sum\r\nCookie: a\r\n\r\n'
    assert ask(sidecar.port, coded(body)).status == 200
    entry = only_arrival(upstream)
    assert (entry.body, entry.complete) == (b"hello", True)
    assert entry.values("x-check") == entry.values("cookie") == []


@pytest.mark.parametrize("name", ["Transfer_Encoding: chunked", "Content_Length: 15"])
def test_underscore_cannot_frame_a_body(sidecar, upstream, name):
    """What looks like a body is read as the next request, and refused."""
    said = said_until_closed(sidecar.port, framed(name, body=CHUNKS))
    assert [line.split()[1] for line in STATUS_LINE.findall(said)] == [b"200", b"400"]
    assert only_arrival(upstream).body == b""


def test_request_inside_a_body_stays_a_body(sidecar, upstream):
    inner = get(f"/proxy/app?inner=1&api_key={QUERY_KEY}", "Content-Length: 0")
    answer = ask(sidecar.port, post(TARGET, inner, method="GET"))
    entry = only_arrival(upstream)
    assert json.loads(answer.body)["size"] == len(inner)
    assert (entry.method, entry.body) == ("GET", inner)


@pytest.mark.parametrize(
    "outer",
    ["/proxy/../app", "/proxy/%00", "/proxy", "/nothing", "/token/a", "/config", "/-/healthz"],
)
def test_body_of_a_refused_request_is_not_served(sidecar, upstream, outer):
    inner = get("/proxy/app?inner=1")
    answer = the_answer_in(said_until_closed(sidecar.port, post(outer, inner)))
    assert answer.header("connection") == "close"
    check_nothing_arrived(sidecar, upstream)


def test_pipelined_requests_are_answered_in_order(sidecar, upstream):
    last = get("/-/healthz", "Connection: close")
    said = said_until_closed(sidecar.port, get("/proxy/app") + get("/proxy") + last)
    assert [line.split()[1] for line in STATUS_LINE.findall(said)] == [b"200", b"404", b"200"]
    only_arrival(upstream)


def test_bad_request_after_a_good_one_closes(sidecar, upstream):
    said = said_until_closed(sidecar.port, get("/proxy/app") + b"GET /a\r\n\r\n" + get("/api-key"))
    assert [line.split()[1] for line in STATUS_LINE.findall(said)] == [b"200", b"400"]
    only_arrival(upstream)


@pytest.mark.parametrize("length", [5000, LONGEST_LINE])
def test_request_line_up_to_the_limit_is_forwarded(sidecar, upstream, length):
    query = "a=" + "b" * (length - len("GET /proxy/app?a= HTTP/1.1"))
    assert ask(sidecar.port, get(f"/proxy/app?{query}")).status == 200
    assert only_arrival(upstream).target == f"/app?{CREDENTIALS}&{query}"


@pytest.mark.parametrize(
    ("version", "lines"), [("1.0", []), ("1.0", ["Host: localhost"]), ("1.2", ["Host: localhost"])]
)
def test_other_minor_version_goes_out_as_1_1(sidecar, upstream, version, lines):
    """A higher minor version is to be read as the highest that one knows (RFC 9110 2.5)."""
    request = bare(f"GET /proxy/app HTTP/{version}", *lines, "Connection: close")
    assert ask(sidecar.port, request).status == 200
    assert only_arrival(upstream).head.startswith(
        b"GET /app?" + CREDENTIALS.encode() + b" HTTP/1.1"
    )


@pytest.mark.parametrize("value", ["LOCALHOST.", "localhost:81", "[::1]:80", "a-b_c.localhost"])
def test_host_of_the_caller_is_replaced_by_ours(sidecar, upstream, value):
    assert ask(sidecar.port, host(value)).status == 200
    assert only_arrival(upstream).values("host") == [f"127.0.0.1:{upstream.port}"]


@pytest.mark.parametrize(
    "target",
    [
        "http://app.localhost/proxy/app",
        "HTTPS://localhost:81/proxy/app",
        "http://[::1]/proxy/app",
    ],
)
def test_absolute_target_moves_nothing(sidecar, upstream, target):
    assert ask(sidecar.port, get(target)).status == 200
    entry = only_arrival(upstream)
    assert entry.target == f"/app?{CREDENTIALS}"
    assert entry.values("host") == [f"127.0.0.1:{upstream.port}"]


@pytest.mark.parametrize("form", ["http://localhost", "http://localhost?/proxy/app"])
def test_absolute_target_without_a_path_is_the_root(sidecar, upstream, form):
    assert ask(sidecar.port, get(form)).status == 404
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "LINK"])
def test_other_method_is_405_with_the_allowed_ones(sidecar, upstream, method):
    answer = ask(sidecar.port, get("/proxy/app", method=method))
    assert answer.status == 405
    assert answer.header("allow") == "GET, POST, PUT, PATCH, DELETE"
    assert method == "HEAD" or envelope(answer)["code"] == 4
    check_nothing_arrived(sidecar, upstream)


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"])
def test_method_override_is_no_method(sidecar, upstream, name):
    assert ask(sidecar.port, get("/proxy/app", f"{name}: TRACE")).status == 200
    assert only_arrival(upstream).method == "GET"


@pytest.mark.parametrize("upgrade", ["websocket", "WebSocket"])
def test_websocket_upgrade_is_told_where_to_go(sidecar, upstream, upgrade):
    lines = ["Connection: Upgrade", f"Upgrade: {upgrade}", "Sec-WebSocket-Version: 13"]
    answer = ask(sidecar.port, get(f"/proxy/connect?api_key={QUERY_KEY}", *lines))
    assert answer.status == 400
    assert "wss://chat.stream-io-api.com" in envelope(answer)["message"]
    check_nothing_arrived(sidecar, upstream)


def test_expected_continue_is_said_and_stays_behind(sidecar, upstream):
    answer = ask(sidecar.port, framed("Content-Length: 5", "Expect: 100-continue"))
    assert (answer.status, answer.interim) == (200, [100])
    assert only_arrival(upstream).values("expect") == []


#: Bad requests that hold a password, each at its own place.
TOLD = {
    "in Host": lambda password: host(f"user:{password}@a:80"),
    "in a refused target": lambda password: get(f"http://user:{password}@a/proxy/../app"),
    "in a target": lambda password: get(f"http://user:{password}@a/proxy/app"),
    "in an expectation": lambda password: get("/proxy/app", f"Expect: {password}"),
    "in a coding": lambda password: get("/proxy/app", f"Transfer-Encoding: {password}"),
    "in a field without a colon": lambda password: get("/proxy/app", password),
    "in the request line": lambda password: bare(password),
}
PASSWORDS = {place: f"{PASSWORD}-{number}-" for number, place in enumerate(TOLD)}


@pytest.fixture(scope="module")
def said(upstream, sidecar_before) -> str:
    """All that a sidecar wrote, whose log nothing else writes to."""
    with sidecar_before(upstream.url) as running:
        for place, request_bytes in TOLD.items():
            ask(running.port, request_bytes(PASSWORDS[place]))

    return running.output.read_text()


@pytest.mark.parametrize("place", TOLD)
def test_password_in_a_bad_request_is_in_no_line(said, place):
    assert PASSWORDS[place] not in said
    assert PASSWORD not in said


def test_junk_without_a_line_end_is_dropped(sidecar, upstream):
    said = said_until_closed(sidecar.port, b"\x16\x03\x01\x02\x00\x01\x00", half_close=True)
    assert said == b"" or said.startswith(b"HTTP/1.1 400 ")
    check_nothing_arrived(sidecar, upstream)


def test_chunked_helper_body_arrives_as_it_was(sidecar, upstream):
    assert ask(sidecar.port, chunked(TARGET, b"a", b"bc" * 40_000)).status == 200
    assert only_arrival(upstream).body_size == 80_001
