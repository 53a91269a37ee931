"""A failover of Redis behind its name, as callers and probes of a real sidecar see it."""

import shutil
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from tests.calls import call
from tests.limiting.failover import Pair, pair
from tests.providers.chatsdk.conftest import App

BACK_WITHIN = 6


def counts(app: App, redis_pair: Pair) -> bool:
    """Say whether a call is counted by the new primary."""
    before = redis_pair.replica.dbsize()
    status = app.issue(uuid.uuid4().hex).status
    return status == 200 and redis_pair.replica.dbsize() > before


@pytest.mark.parametrize("setting", ["count", "refuse", "allow"])
def test_the_counters_are_back_soon_after_the_failover(
    chatsdk_before: Callable[..., Any], setting: str
) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed")

    with (
        pair() as redis_pair,
        chatsdk_before(REDIS_URL=redis_pair.url, LIMITS_WITHOUT_REDIS=setting) as app,
    ):
        assert app.issue("before").status == 200
        redis_pair.demote()
        during = app.issue("during").status
        time.sleep(1.1)  # probes ask at most once a second
        ready = call(app.sidecar.port, "GET", "/-/ready")
        check_up = call(app.sidecar.port, "GET", "/-/check-up")
        redis_pair.promote()
        until = time.monotonic() + BACK_WITHIN

        while not counts(app, redis_pair):
            assert time.monotonic() < until
            time.sleep(0.1)

        after = call(app.sidecar.port, "GET", "/-/ready")
        healthy = call(app.sidecar.port, "GET", "/-/check-up")

    assert during == (503 if setting == "refuse" else 200)
    assert (ready.status, ready.json["limits"]) == (200, {"fault": "ReadOnlyError"})
    assert (check_up.status, healthy.status) == (503, 200)
    assert "limits" not in after.json
