"""The grammar, and whom an ordered fault meets."""

import pytest

from tests.sandbox.client import Client
from tests.upstream import StreamUpstream
from tests.upstream.faults import FORMS, Fault, FaultError, parse
from tests.upstream.misbehaviour import AT_ONCE, BEFORE, INSTEAD
from tests.upstream.tampering import ALTER, SEND, TAMPER


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("slow=2", (Fault("slow", "2"),)),
        ("slow=0.5; gzip", (Fault("slow", "0.5"), Fault("gzip"))),
        ("interim=103 x 1000", (Fault("interim", "103 x 1000"),)),
        ("status-line=HTTP/1.1 999 Odd", (Fault("status-line", "HTTP/1.1 999 Odd"),)),
        ("redirect=http://a/%3Bb?c=d", (Fault("redirect", "http://a/;b?c=d"),)),
        ("", ()),
    ],
)
def test_faults_are_read(text: str, faults: tuple[Fault, ...]) -> None:
    assert parse(text) == faults


@pytest.mark.parametrize(
    "text", ["nonsense", "slow", "slow=-1", "slow=fast", "gzip=9", "cut=deep", "status=1000"]
)
def test_what_is_no_fault_is_refused(text: str, client: Client, stand_in: StreamUpstream) -> None:
    with pytest.raises(FaultError):
        parse(text)

    with pytest.raises(FaultError):
        stand_in.faults.next(text)

    seen = client.provoke(text)
    assert seen.status == 400
    assert b"no such fault" in seen.body


def test_each_fault_has_its_stage() -> None:
    done = {"close"}.union(AT_ONCE, INSTEAD, BEFORE, ALTER, TAMPER, SEND)

    assert done - {"unknown-fault"} == FORMS.keys()


def test_an_order_meets_the_next_request_that_fits_and_only_that(
    client: Client, stand_in: StreamUpstream
) -> None:
    stand_in.faults.next("status=503", path="/_sandbox/e*", method="post")

    assert client.call("GET", "/_sandbox/echo").status == 200
    assert client.call("POST", "/app").status == 404
    assert client.call("POST", "/_sandbox/echo").status == 503
    assert client.call("POST", "/_sandbox/echo").status == 200


def test_orders_can_be_taken_back(client: Client, stand_in: StreamUpstream) -> None:
    stand_in.faults.next("never")
    stand_in.faults.clear()

    assert client.call("GET", "/app").status == 200
