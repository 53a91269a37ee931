"""Control from another process."""

import base64
import json
from typing import Any

import pytest

from tests.sandbox.client import Client, Told


def control(client: Client, method: str, path: str, document: Any = None) -> Told:
    body = b"" if document is None else json.dumps(document).encode()
    return client.send(method, f"/_sandbox/control/{path}", body, {})


def test_a_fault_can_be_ordered(client: Client) -> None:
    order = {"fault": "status=503", "method": "GET", "path": "/app"}
    assert control(client, "POST", "faults", order).json == {"pending": 1}

    assert [client.call("GET", "/app").status for _ in range(2)] == [503, 200]


@pytest.mark.parametrize(
    "order", [{"fault": "nonsense"}, {}, {"fault": "never", "when": "now"}, {"fault": 5}, []]
)
def test_a_bad_order_is_refused(client: Client, order: Any) -> None:
    assert control(client, "POST", "faults", order).status == 400


def test_the_journal_can_be_read(client: Client) -> None:
    client.call("POST", "/_sandbox/echo", {"a": 1})

    (entry,) = control(client, "GET", "journal")["entries"]
    assert (entry["method"], entry["status"], entry["complete"]) == ("POST", 200, True)
    assert base64.b64decode(entry["body"]) == b'{"a": 1}'


def test_control_leaves_no_trace_and_meets_no_fault(client: Client) -> None:
    client.stand_in.faults.next("status=500")
    assert control(client, "GET", "journal").status == 200
    assert len(client.stand_in.journal) == 0
    assert client.stand_in.faults.pending() == 1


def test_there_is_a_picture_to_upload(client: Client) -> None:
    assert control(client, "GET", "picture").raw.startswith(b"\x89PNG")


def test_there_is_no_other_control(client: Client) -> None:
    assert control(client, "GET", "secrets").status == 404
