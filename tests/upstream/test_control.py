"""Control from another process."""

import base64
import json
from typing import Any

import pytest

from tests.sandbox.client import Client, Told
from tests.upstream.faults import FORMS


def control(client: Client, method: str, path: str, document: Any = None) -> Told:
    body = b"" if document is None else json.dumps(document).encode()
    return client.send(method, f"/_sandbox/control/{path}", body, {})


def test_a_fault_can_be_ordered(client: Client) -> None:
    order = {"fault": "status=503", "method": "GET", "path": "/app", "count": 2}
    assert control(client, "POST", "faults", order).json == {"pending": 2}

    assert [client.call("GET", "/app").status for _ in range(3)] == [503, 503, 200]


def test_the_faults_are_listed(client: Client) -> None:
    assert control(client, "GET", "faults").json.keys() == FORMS.keys()


def test_orders_can_be_taken_back(client: Client) -> None:
    control(client, "POST", "faults", {"fault": "never"})
    control(client, "DELETE", "faults")
    assert client.call("GET", "/app").status == 200


@pytest.mark.parametrize(
    "order", [{"fault": "nonsense"}, {}, {"fault": "never", "when": "now"}, {"fault": 5}, []]
)
def test_a_bad_order_is_refused(client: Client, order: Any) -> None:
    assert control(client, "POST", "faults", order).status == 400


def test_the_journal_can_be_read_on_from_where_one_was(client: Client) -> None:
    client.call("POST", "/_sandbox/echo", {"a": 1})
    first = control(client, "GET", "journal")
    client.call("GET", "/app")
    second = control(client, "GET", f"journal?since={first['next']}")

    (entry,) = first["entries"]
    assert (entry["method"], entry["status"], entry["complete"]) == ("POST", 200, True)
    assert base64.b64decode(entry["body"]) == b'{"a": 1}'
    assert [later["method"] for later in second["entries"]] == ["GET"]


def test_the_journal_can_be_cleared(client: Client) -> None:
    client.call("GET", "/app")
    control(client, "DELETE", "journal")
    assert control(client, "GET", "journal")["entries"] == []


def test_control_leaves_no_trace_and_meets_no_fault(client: Client) -> None:
    client.stand_in.faults.next("status=500")
    assert control(client, "GET", "journal").status == 200
    assert len(client.stand_in.journal) == 0
    assert client.stand_in.faults.pending() == 1


def test_there_is_a_picture_to_upload(client: Client) -> None:
    assert control(client, "GET", "picture").raw.startswith(b"\x89PNG")


def test_there_is_no_other_control(client: Client) -> None:
    assert control(client, "GET", "secrets").status == 404
