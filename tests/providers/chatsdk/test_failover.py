"""A database that refuses writes for a while, as a caller and an operator see it."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.calls import Reply, call
from tests.databases import taking_no_writes
from tests.providers.chatsdk.conftest import App

#: Seconds within which writes must be back when the database is.
BACK_WITHIN = 3


@pytest.fixture(scope="module", params=["1", "2"], ids=["one worker", "two workers"])
def app(request: pytest.FixtureRequest, chatsdk_before: Callable[..., Any]) -> Iterator[App]:
    with chatsdk_before("postgresql", WORKERS=request.param) as made:
        yield made


def status(app: App, path: str) -> Reply:
    return call(app.sidecar.port, "GET", path)


def shows_fault(app: App) -> bool:
    ready = status(app, "/-/ready")
    assert ready.status == 200
    return ready.json.get("directory") == {"fault": "ReadOnlySqlTransaction"}


def wait_until(ready: Callable[[], bool]) -> None:
    until = time.monotonic() + 30

    while not ready():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_writes_stop_and_come_back_with_the_database(app: App) -> None:
    token = app.tokens("alice")["token"]

    with taking_no_writes(app.sidecar.environ["DATABASE_URL"]):
        # Before any request: readiness asks for itself.
        wait_until(lambda: shows_fault(app))

        for number in range(20):
            reply = app.issue(f"new-{number}")
            assert (reply.status, reply.header("Retry-After")) == (503, "1")

        assert {app.validate(token).status for _ in range(20)} == {200}
        check_up = status(app, "/-/check-up")
        assert (check_up.status, check_up.json["message"].split(":")[0]) == (503, "directory")

    begin = time.monotonic()
    assert app.issue("new").status == 200
    assert time.monotonic() - begin < BACK_WITHIN
    assert {app.issue(f"new-{number}").status for number in range(20)} == {200}
    assert {status(app, "/-/check-up").status for _ in range(10)} == {200}
    # Of two workers each shows what it knows.
    wait_until(lambda: not any(shows_fault(app) for _ in range(10)))
