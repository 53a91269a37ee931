"""Uploads that never end, and peers that leave, are seen while it happens."""

import time

import pytest

from tests.sandbox.client import CREDENTIALS, Client, request_bytes, with_key
from tests.upstream import StreamUpstream

ECHO = with_key("/_sandbox/echo")


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        pytest.param({"Content-Length": "10"}, b"abc", id="sized"),
        pytest.param({"Transfer-Encoding": "chunked"}, b"3\r\nabc\r\n", id="chunked"),
    ],
)
def test_a_cut_upload_is_never_complete(
    client: Client, stand_in: StreamUpstream, fields: dict[str, str], part: bytes
) -> None:
    with client.connect() as sock:
        sock.sendall(request_bytes("POST", ECHO, {**CREDENTIALS, **fields}, part))
        noted = stand_in.journal.wait_for(lambda r: r.body_size == 3)
        assert not noted.ended.is_set()

    assert noted.ended.wait(2)
    assert not noted.complete
    assert noted.body == b"abc"
    assert noted.status is None
    assert noted.peer_left_at is not None


def test_an_entry_is_there_from_its_head_on(client: Client, stand_in: StreamUpstream) -> None:
    with client.connect() as sock:
        sock.sendall(request_bytes("POST", ECHO, {**CREDENTIALS, "Content-Length": "10"}))
        noted = stand_in.journal.wait_for(lambda r: r.method == "POST")
        assert (noted.complete, noted.body_size) == (False, 0)


@pytest.mark.parametrize("fault", ["slow=30", "never", "stall-body", "drip-head=5"])
def test_a_peer_that_leaves_during_a_fault_is_seen_at_once(
    client: Client, stand_in: StreamUpstream, fault: str
) -> None:
    fields = {**CREDENTIALS, "X-Sandbox-Fault": fault}
    with client.connect() as sock:
        sock.sendall(request_bytes("GET", with_key("/_sandbox/bytes?size=9"), fields))
        noted = stand_in.journal.wait_for(lambda r: r.complete)
        left = time.monotonic()

    stand_in.journal.wait_for(lambda r: r.closed_at is not None)
    assert noted.peer_left_at is not None
    assert 0 <= noted.peer_left_at - left < 0.5


def test_only_the_first_64_kib_of_a_body_are_kept(client: Client, stand_in: StreamUpstream) -> None:
    told = client.send("POST", ECHO, b"x" * 1_000_000, dict(CREDENTIALS))

    noted = stand_in.journal[0]
    assert (noted.body_size, len(noted.body)) == (1_000_000, 65_536)
    assert noted.body_sha256 == told["sha256"]


def test_waiting_gives_up(stand_in: StreamUpstream) -> None:
    with pytest.raises(TimeoutError):
        stand_in.journal.wait_for(lambda r: True, timeout=0.05)


def test_only_the_last_requests_are_kept() -> None:
    with StreamUpstream(journal_capacity=3) as stand_in:
        for number in range(5):
            Client(stand_in).call("GET", f"/_sandbox/echo?n={number}")

        assert [noted.number for noted in stand_in.journal] == [3, 4, 5]
        stand_in.journal.clear()
        assert len(stand_in.journal) == 0
