"""Faults of the answer's content, bytes and pace, as a peer sees them."""

import gzip

import pytest

from tests.sandbox.client import Client
from tests.upstream import StreamUpstream
from tests.upstream.payload import blocks

BODY = b"".join(blocks(40, 0))


def test_without_a_fault_the_answer_is_plain(client: Client) -> None:
    seen = client.provoke("")

    assert (seen.status, seen.body, seen.ending) == (200, BODY, "open")


def test_gzip_is_the_same_bytes_each_time(client: Client) -> None:
    one, two = client.provoke("gzip"), client.provoke("gzip")

    assert gzip.decompress(one.body) == BODY
    assert one.body == two.body
    assert b"content-encoding: gzip" in one.head
    assert b"content-length: %d" % len(one.body) in one.head


@pytest.mark.parametrize(
    ("fault", "line"),
    [
        ("set-cookie", b"set-cookie: sandbox=1; Path=/; HttpOnly"),
        ("keep-alive=timeout=5, max=100", b"keep-alive: timeout=5, max=100"),
        ("request-id=their-1", b"X-Request-ID: their-1"),
        ("bad-header", b"this line has no colon"),
        ("nul-header", b"x-nul: a\0b"),
        ("huge-header", b"x-huge: " + b"a" * 70_000),
        ("many-headers", b"x-many-149: 149"),
        ("two-lengths", b"content-length: 47"),
    ],
)
def test_the_head_holds_the_line(client: Client, fault: str, line: bytes) -> None:
    assert line in client.provoke(fault).head.split(b"\r\n")


def test_two_lengths_differ(client: Client) -> None:
    head = client.provoke("two-lengths").head
    assert head.count(b"content-length: 4") == 2


def test_many_headers_are_150_more(client: Client) -> None:
    assert client.provoke("many-headers").head.count(b"\r\nx-many-") == 150


@pytest.mark.parametrize("line", ["HTTP/1.1 999 Odd", "junk", "HTTP/1.1 99 Low"])
def test_the_status_line_may_be_anything(client: Client, line: str) -> None:
    seen = client.provoke(f"status-line={line}")

    assert seen.raw.startswith(line.encode() + b"\r\n")
    assert seen.ending == "FIN"


def test_204_may_bring_a_body(client: Client) -> None:
    seen = client.provoke("body-on-204")

    assert (seen.status, seen.body) == (204, b"uninvited")
    assert b"content-length: 9" in seen.head


def test_no_length_means_until_the_end(client: Client) -> None:
    seen = client.provoke("no-length")

    assert (seen.body, seen.ending) == (BODY, "FIN")
    assert b"content-length" not in seen.head
    assert b"transfer-encoding" not in seen.head.lower()


def test_dripping_the_head_changes_no_byte(client: Client) -> None:
    seen = client.provoke("drip-head=0.001")
    assert (seen.status, seen.body, seen.ending) == (200, BODY, "open")


@pytest.mark.parametrize(
    ("fault", "ending"), [("stall-body", "open"), ("reset-body", "RST"), ("cut=sized", "FIN")]
)
def test_half_a_body_and_then(client: Client, fault: str, ending: str) -> None:
    seen = client.provoke(fault)

    assert (seen.status, seen.body, seen.ending) == (200, BODY[:20], ending)
    assert b"content-length: 40" in seen.head


@pytest.mark.parametrize(("value", "end"), [("chunked", b""), ("bad-chunk", b"zz\r\n")])
def test_a_chunked_body_is_cut_before_its_last_chunk(
    client: Client, value: str, end: bytes
) -> None:
    seen = client.provoke(f"cut={value}")

    assert seen.body == b"28\r\n" + BODY + b"\r\n" + end
    assert seen.ending == "FIN"


def test_a_large_body_is_cut_in_the_middle(client: Client, stand_in: StreamUpstream) -> None:
    seen = client.provoke("cut=sized", "/_sandbox/bytes?size=3000000", 2)

    assert b"content-length: 3000000" in seen.head
    assert 0 < len(seen.body) < 3_000_000


def test_faults_add_up(client: Client) -> None:
    seen = client.provoke("status=503; gzip; set-cookie; close")

    assert (seen.status, seen.ending) == (503, "FIN")
    assert b'"StatusCode":503' in gzip.decompress(seen.body)
    assert b"set-cookie: " in seen.head
