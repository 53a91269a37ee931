"""How often tokens may be had, and how often bad credentials may be shown."""

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis

from chatproxy.limiting.shared import CROWD_LISTS
from tests.calls import Reply, call
from tests.limiting.conftest import OwnRedis
from tests.providers.chatsdk import claims
from tests.providers.chatsdk.conftest import App
from tests.providers.chatsdk.test_directory_away import locked

ALLOWED = 5
LIMITS = {"TOKEN_RATE_LIMIT": "5 per 15 minutes", "AUTH_FAILURE_LIMIT": "3 per 5 minutes"}


@pytest.fixture(scope="module")
def limited(chatsdk_before: Callable[..., Any]) -> Iterator[App]:
    with chatsdk_before(**LIMITS) as made:
        yield made


def shown(reply: Reply) -> tuple[str | None, ...]:
    names = ("Limit", "Remaining", "Reset")
    return tuple(reply.header(f"X-RateLimit-{name}") for name in names)


def with_key(app: App, key: str) -> Reply:
    body = {"userId": uuid.uuid4().hex}
    return call(app.sidecar.port, "POST", "/tokens", f"X-API-Key: {key}", body=body)


def test_issuing_counts_down_and_then_says_when_to_come_again(limited: App) -> None:
    replies = [limited.issue("counted") for _ in range(ALLOWED + 1)]
    *good, refused = replies

    assert [reply.status for reply in replies] == [200] * ALLOWED + [429]
    assert [reply.header("X-RateLimit-Remaining") for reply in good] == ["4", "3", "2", "1", "0"]
    assert {reply.header("Retry-After") for reply in good} == {None}
    assert shown(refused)[:2] == ("5", "0")
    assert 890 <= int(refused.header("Retry-After") or 0) <= 900
    assert refused.json["error"]["code"] == "RATE_LIMITED"
    assert refused.json["error"]["retryAfter"] == int(refused.header("Retry-After") or 0)


def test_each_user_and_each_key_has_a_count_of_its_own(limited: App) -> None:
    for _ in range(ALLOWED):
        limited.issue("one")

    other = limited.another_key()["apiKey"]
    body = {"userId": "one"}
    assert limited.issue("one").status == 429
    assert limited.issue("two").status == 200
    field = f"X-API-Key: {other}"
    assert call(limited.sidecar.port, "POST", "/tokens", field, body=body).status == 200


def test_a_call_that_fails_on_our_side_is_not_counted(limited: App) -> None:
    with locked(limited):
        assert limited.issue("failing").status == 503

    assert limited.issue("failing").header("X-RateLimit-Remaining") == "4"


def test_what_is_not_issued_is_not_counted(limited: App) -> None:
    for _ in range(ALLOWED + 1):
        assert limited.issue("careless", name=7).status == 400

    assert shown(limited.issue("careless"))[1] == "4"


def test_exchanges_are_counted_for_the_user(limited: App) -> None:
    token = limited.tokens("exchanging")["token"]
    statuses = [limited.refresh(token).status for _ in range(ALLOWED + 1)]

    assert statuses == [200] * ALLOWED + [429]
    assert limited.issue("exchanging").status == 200


def test_a_burst_is_let_in_exactly_as_often_as_it_may(limited: App) -> None:
    with ThreadPoolExecutor(30) as pool:
        replies = list(pool.map(lambda _: limited.issue("burst").status, range(ALLOWED + 50)))

    assert sorted(replies) == [200] * ALLOWED + [429] * 50


def test_bad_keys_of_an_address_end_in_429_and_good_ones_are_let_in(limited: App) -> None:
    statuses = [with_key(limited, f"guess-{number}").status for number in range(5)]

    assert statuses == [401, 401, 401, 429, 429]
    refused = with_key(limited, "guess-again")
    assert int(refused.header("Retry-After") or 0) > 0
    assert with_key(limited, limited.key).status == 200


def test_a_forwarding_field_makes_no_other_address(limited: App) -> None:
    for number in range(4):
        fields = (f"X-Forwarded-For: 10.0.0.{number}", "X-API-Key: guess")
        last = call(limited.sidecar.port, "POST", "/tokens", *fields, body={"userId": "a"})

    assert last.status == 429


def test_a_key_that_was_good_once_is_counted_for_itself(limited: App) -> None:
    ended = limited.another_key("--expires", "1s")["apiKey"]
    time.sleep(1.1)
    statuses = [with_key(limited, ended).status for _ in range(4)]

    assert statuses == [401, 401, 401, 429]
    assert with_key(limited, limited.another_key()["apiKey"]).status == 200


def test_a_forged_token_that_comes_again_and_again_ends_in_429(limited: App) -> None:
    forged = claims.made("a", "another-secret-of-at-least-32-bytes!")
    statuses = [limited.validate(forged).status for _ in range(4)]

    assert statuses == [401, 401, 401, 429]


def test_other_forged_tokens_still_get_their_401(limited: App) -> None:
    """Clients behind one gateway take it as the sign to get a new token."""
    forged = (claims.made(f"u{n}", "another-secret-of-at-least-32-bytes!") for n in range(8))

    assert {limited.validate(token).status for token in forged} == {401}


def test_an_expired_token_is_never_counted(limited: App) -> None:
    expired = claims.made("a", iat=1, exp=2)

    assert {limited.validate(expired).status for _ in range(6)} == {401}


@pytest.fixture(scope="module")
def redis_url() -> str:
    return os.environ.get("TEST_REDIS_URL") or pytest.skip("TEST_REDIS_URL names no Redis server")


def test_workers_share_the_counts_in_redis(
    chatsdk_before: Callable[..., Any], redis_url: str
) -> None:
    """A user of its own each time: the counts outlive the sidecar."""
    with chatsdk_before(WORKERS="4", REDIS_URL=redis_url, **LIMITS) as app:
        for _ in range(3):
            user_id = uuid.uuid4().hex

            with ThreadPoolExecutor(30) as pool:
                statuses = list(
                    pool.map(lambda _, user_id=user_id: app.issue(user_id).status, range(55))
                )

            assert sorted(statuses) == [200] * ALLOWED + [429] * 50


def test_bad_credentials_cost_redis_no_more_the_more_there_are(
    chatsdk_before: Callable[..., Any], redis_url: str
) -> None:
    if shutil.which("redis-server") is None:
        pytest.skip(f"redis-server is not installed, and {redis_url} has the keys of others")

    own, often = OwnRedis(), claims.made("often", "another-secret-of-at-least-32-bytes!")
    own.start()

    try:
        with (
            chatsdk_before(REDIS_URL=own.url, **LIMITS) as app,
            redis.Redis.from_url(own.url) as client,
        ):
            sizes = []

            for part in range(2):
                for number in range(600):
                    assert app.validate(f"bad-{part}-{number}").status == 401

                sizes.append(client.dbsize())

            statuses = [app.validate(often).status for _ in range(4)]
            good = app.validate(app.tokens("good")["token"]).status
    finally:
        own.stop()

    assert max(sizes) <= CROWD_LISTS
    assert statuses == [401, 401, 401, 429]
    assert good == 200


@pytest.mark.parametrize(
    ("setting", "statuses"),
    [("count", {200, 429}), ("refuse", {503}), ("allow", {200})],
)
def test_while_redis_is_away_the_setting_decides(
    chatsdk_before: Callable[..., Any], setting: str, statuses: set[int]
) -> None:
    away = {"REDIS_URL": "redis://:canary@127.0.0.1:1/0", "LIMITS_WITHOUT_REDIS": setting}

    with chatsdk_before(**away, **LIMITS) as app:
        replies = [app.issue("away") for _ in range(ALLOWED + 1)]
        ready = call(app.sidecar.port, "GET", "/-/ready")
        check_up = call(app.sidecar.port, "GET", "/-/check-up")

    assert {reply.status for reply in replies} == statuses
    assert (ready.status, check_up.status) == (200, 503)
    assert "fault" in ready.json["limits"]
    assert "canary" not in app.sidecar.output.read_text()


def test_a_start_with_workers_that_count_for_themselves_is_warned(
    chatsdk_before: Callable[..., Any],
) -> None:
    with chatsdk_before(WORKERS="2") as app:
        messages = [line["msg"] for line in app.sidecar.lines()]

    assert any("each worker counts for itself" in message for message in messages)
