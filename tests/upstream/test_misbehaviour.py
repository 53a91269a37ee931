"""Faults of conduct, as a peer sees them."""

import time

import pytest

from tests.sandbox.client import CREDENTIALS, Client, look, request_bytes, with_key
from tests.upstream import StreamUpstream

ECHO = with_key("/_sandbox/echo")


def test_slow_waits_before_the_answer(client: Client) -> None:
    started = time.monotonic()
    told = client.call("GET", "/_sandbox/echo", **{"X-Sandbox-Fault": "slow=0.3"})

    assert told.status == 200
    assert time.monotonic() - started >= 0.3


def test_never_reads_and_is_silent(client: Client, stand_in: StreamUpstream) -> None:
    fields = {**CREDENTIALS, "X-Sandbox-Fault": "never"}
    seen = client.see(request_bytes("POST", ECHO, fields, b"body"), 0.3)

    assert (seen.raw, seen.ending) == (b"", "open")
    assert stand_in.journal[0].complete


def test_reset_comes_before_any_byte(client: Client, room: str) -> None:
    seen = client.provoke("reset")
    assert (seen.raw, seen.ending) == (b"", "RST")


def test_reset_is_after_the_deed(client: Client, stand_in: StreamUpstream, room: str) -> None:
    """The upstream did it and the answer was lost: the case in which nobody may try again."""
    stand_in.faults.next("reset")
    message = {"message": {"id": "m", "text": "hi", "user_id": "ann"}}
    with pytest.raises(ConnectionResetError):
        client.call("POST", f"{room}/message", message)

    assert client.call("POST", f"{room}/message", message).refusal == (400, 4)


def test_eof_hits_only_a_reused_connection(client: Client) -> None:
    sent = request_bytes("GET", ECHO, {**CREDENTIALS, "X-Sandbox-Fault": "eof"})
    with client.connect() as sock:
        sock.sendall(sent)
        assert look(sock, 0.2).status == 200

        sock.sendall(sent)
        seen = look(sock, 0.5)
        assert (seen.raw, seen.ending) == (b"", "FIN")


@pytest.mark.parametrize("count", [1, 3, 1000])
@pytest.mark.parametrize("status", [100, 102, 103])
def test_interim_answers_come_first(client: Client, status: int, count: int) -> None:
    seen = client.provoke(f"interim={status} x {count}")

    assert seen.raw.count(b"HTTP/1.1 %d Interim" % status) == count
    assert seen.raw.rpartition(b"HTTP/1.1 ")[2].startswith(b"200 OK")


def test_switch_is_101_and_nothing_more(client: Client) -> None:
    seen = client.provoke("switch", seconds=3)

    assert seen.status == 101
    assert (seen.body, seen.ending) == (b"", "FIN")


@pytest.mark.parametrize(
    ("status", "code"), [(400, 4), (401, 5), (403, 17), (404, 16), (408, 23), (413, 22), (500, -1)]
)
def test_status_has_the_envelope(client: Client, status: int, code: int) -> None:
    told = client.call("GET", "/app", **{"X-Sandbox-Fault": f"status={status}"})

    assert told.refusal == (status, code)


def test_status_does_not_do_what_is_asked(client: Client, room: str) -> None:
    message = {"message": {"id": "m", "text": "hi", "user_id": "ann"}}
    client.call("POST", f"{room}/message", message, **{"X-Sandbox-Fault": "status=503"})

    assert client.call("GET", "/messages/m").status == 404


def test_429_leaves_nothing_remaining_and_names_no_time(client: Client) -> None:
    told = client.call("GET", "/app", **{"X-Sandbox-Fault": "status=429"})

    assert told.refusal == (429, 9)
    assert dict(told.fields)["x-ratelimit-remaining"] == "0"
    assert "retry-after" not in dict(told.fields)


def test_the_budgets_429_names_a_time(client: Client) -> None:
    told = client.call("GET", "/app", **{"X-Sandbox-Fault": "status=429-budget"})

    assert told.refusal == (429, 9)
    assert {"retry-after", "x-budget-used-ms", "x-budget-limit-ms"} <= dict(told.fields).keys()


def test_redirect_points_elsewhere(client: Client) -> None:
    seen = client.provoke("redirect=http://elsewhere.invalid/x")

    assert seen.status == 302
    assert b"location: http://elsewhere.invalid/x" in seen.head


def test_early_answers_before_the_upload(client: Client, stand_in: StreamUpstream) -> None:
    fields = {**CREDENTIALS, "X-Sandbox-Fault": "early=413", "Content-Length": "1000"}
    seen = client.see(request_bytes("POST", ECHO, fields), 0.5)

    assert (seen.status, seen.ending) == (413, "open")
    assert not stand_in.journal[0].complete
    assert stand_in.journal.wait_for(lambda r: r.closed_at is not None).body_size == 0


def test_close_gives_no_warning(client: Client) -> None:
    seen = client.provoke("close")

    assert (seen.status, seen.ending) == (200, "FIN")
    assert b"connection: close" not in seen.head.lower()
