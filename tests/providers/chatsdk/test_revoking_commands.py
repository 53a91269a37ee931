"""`chatproxy token revoke`: seen by every worker of a running sidecar, at once."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests import commands
from tests.databases import KINDS
from tests.providers.chatsdk import claims
from tests.providers.chatsdk.conftest import App

TRIES = 24


@pytest.fixture(scope="module", params=KINDS)
def workers(request: pytest.FixtureRequest, chatsdk_before: Callable[..., Any]) -> Iterator[App]:
    """Three workers: the tries go to all of them, each on a connection of its own."""
    with chatsdk_before(request.param, WORKERS="3") as app:
        yield app


def statuses(app: App, token: str) -> set[int]:
    return {app.validate(token).status for _ in range(TRIES)}


def revoke(app: App, *arguments: str) -> None:
    commands.answer(app.sidecar.environ, "tokens", "revoke", *arguments)


def test_by_user(workers: App) -> None:
    token, other = workers.tokens("alice")["token"], workers.tokens("bob")["token"]
    assert statuses(workers, token) == {200}

    revoke(workers, "--user", "alice")

    assert statuses(workers, token) == {401}
    assert statuses(workers, other) == {200}
    assert statuses(workers, workers.tokens("alice")["token"]) == {200}


def test_by_id(workers: App) -> None:
    one, two = workers.tokens("carol"), workers.tokens("carol")

    revoke(workers, "--id", claims.of(one["token"])["jti"])

    assert statuses(workers, one["token"]) == {401}
    assert {workers.validate_ws(one["wsToken"]).status for _ in range(TRIES)} == {401}
    assert statuses(workers, two["token"]) == {200}


def test_by_app(workers: App) -> None:
    other = workers.another_app("Other")
    mine, theirs = workers.tokens("dave")["token"], other.tokens("dave")["token"]

    revoke(workers, "--app", other.id, "--all")

    assert statuses(workers, theirs) == {401}
    assert statuses(workers, mine) == {200}
    assert statuses(workers, other.tokens("dave")["token"]) == {200}


def test_a_revoked_key_is_refused_by_every_worker(workers: App) -> None:
    made = workers.another_key()
    mine = App(workers.sidecar, made["apiKey"], made["keyId"])
    assert {mine.issue("erin").status for _ in range(TRIES)} == {200}

    commands.answer(workers.sidecar.environ, "keys", "revoke", made["keyId"])

    assert {mine.issue("erin").status for _ in range(TRIES)} == {401}
