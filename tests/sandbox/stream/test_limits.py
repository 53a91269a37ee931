"""Quotas per endpoint and minute."""

import time

from sandbox import StreamSandbox
from tests.sandbox.client import Client, Told


def quota(told: Told) -> tuple[str, str]:
    fields = dict(told.fields)
    return fields["x-ratelimit-limit"], fields["x-ratelimit-remaining"]


def test_each_endpoint_counts_for_itself() -> None:
    with StreamSandbox(rate_limit=100) as stand_in:
        client = Client(stand_in)
        assert quota(client.call("GET", "/app")) == ("100", "99")
        assert quota(client.call("GET", "/api/v2/app")) == ("100", "98")
        assert quota(client.call("GET", "/users")) == ("100", "99")


def test_an_exhausted_quota_is_429_without_a_time() -> None:
    with StreamSandbox(rate_limit=2) as stand_in:
        client = Client(stand_in)
        told = [client.call("GET", "/app") for _ in range(3)][-1]

        assert told.refusal == (429, 9)
        assert quota(told)[1] == "0"
        assert "retry-after" not in dict(told.fields)
        assert client.call("GET", "/users").status == 200


def test_quotas_can_be_read_without_spending(client: Client) -> None:
    client.call("GET", "/app")
    target = "/rate_limits?server_side=true&endpoints=GetApp,QueryUsers"
    told = client.call("GET", target)

    assert told.json.keys() == {"server_side", "duration"}
    limits = told["server_side"]
    assert limits["GetApp"]["remaining"] == limits["GetApp"]["limit"] - 1
    assert limits["QueryUsers"]["remaining"] == limits["QueryUsers"]["limit"]
    assert 0 < limits["GetApp"]["reset"] - time.time() <= 60
