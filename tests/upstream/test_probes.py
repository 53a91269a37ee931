"""The endpoints made for tests."""

import hashlib
import time

import pytest

from tests.sandbox.client import CREDENTIALS, Client, with_key
from tests.upstream import bytes_sha256
from tests.upstream.payload import blocks


@pytest.mark.parametrize("extra", ["", "&chunked=1", "&piece=1000", "&chunked=1&piece=65537"])
@pytest.mark.parametrize("size", [0, 1, 1 << 20, 3_000_001])
def test_bytes_have_the_promised_digest(client: Client, size: int, extra: str) -> None:
    told = client.call("GET", f"/_sandbox/bytes?size={size}&seed=7{extra}")

    assert len(told.raw) == size
    assert hashlib.sha256(told.raw).hexdigest() == bytes_sha256(size, 7)
    assert ("content-length" in dict(told.fields)) is ("chunked" not in extra)


def test_a_swapped_block_changes_the_digest() -> None:
    first, second = blocks(2 << 20, 0)

    assert hashlib.sha256(first + second).hexdigest() == bytes_sha256(2 << 20)
    assert hashlib.sha256(second + first).hexdigest() != bytes_sha256(2 << 20)
    assert bytes_sha256(100, 1) != bytes_sha256(100, 2)


@pytest.mark.parametrize(
    "query", ["", "size=x", "size=-1", "size=9999999999999999", "size=1&seed=y"]
)
def test_bytes_want_numbers(client: Client, query: str) -> None:
    assert client.call("GET", f"/_sandbox/bytes?{query}").refusal == (400, 4)


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST", "PUT", "PATCH"])
def test_echo_tells_what_arrived(client: Client, method: str) -> None:
    body = b"" if method in ("GET", "DELETE") else b"\0\xff" * 500
    told = client.send(method, with_key("/_sandbox/echo?a=%20"), body, {**CREDENTIALS, "X-A": "b"})

    assert told["method"] == method
    assert told["target"] == with_key("/_sandbox/echo?a=%20")
    assert (told["size"], told["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert told["framing"] == ("sized" if body else "none")
    assert ["X-A", "b"] in told["headers"]


@pytest.mark.parametrize("status", [200, 204, 304, 404, 500, 999])
def test_any_status_can_be_had(client: Client, status: int) -> None:
    told = client.call("GET", f"/_sandbox/status/{status}")

    assert told.status == status
    assert bool(told.raw) is (status not in (204, 304))


@pytest.mark.parametrize("status", ["99", "1000", "x"])
def test_no_status_is_refused(client: Client, status: str) -> None:
    assert client.call("GET", f"/_sandbox/status/{status}").refusal == (400, 4)


def test_drip_sends_a_piece_each_interval(client: Client) -> None:
    started = time.monotonic()
    told = client.call("GET", "/_sandbox/drip?pieces=3&seconds=0.1")

    assert told.raw == b"piece 0000\npiece 0001\npiece 0002\n"
    assert 0.2 <= time.monotonic() - started < 1


def test_probes_need_credentials(client: Client) -> None:
    told = client.send("GET", "/_sandbox/echo", b"", {})
    assert told.refusal == (401, 2)


def test_there_is_no_other_probe(client: Client) -> None:
    assert client.call("GET", "/_sandbox/nothing").refusal == (404, 16)
