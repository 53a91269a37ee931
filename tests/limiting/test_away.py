"""Redis away, silent, refusing, back: what it costs and what is said."""

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import redis

from chatproxy.errors import LimiterUnavailable
from chatproxy.formats.rates import Rate
from chatproxy.limiting.limiter import Limiter
from chatproxy.limiting.shared import BACKOFF
from tests.limiting.conftest import OwnRedis, Silent
from tests.stopwatch import Stopwatch

TEN = Rate.read("10 per 15 minutes")
PASSWORD = "the-password-of-redis"
COUNTED = b"*3\r\n:1\r\n:9\r\n:900000000\r\n"


class Dropping:
    """Ends connections after the first command, the first `drops` ones without an answer."""

    def __init__(self, drops: int) -> None:
        self._drops = drops
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            taken, _ = self._listener.accept()

            with taken:
                if not taken.recv(65536):
                    return

                self.connections += 1

                if self.connections > self._drops:
                    taken.sendall(COUNTED)

    def close(self) -> None:
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()


@pytest.fixture
def dropping() -> Iterator[Callable[[int], Dropping]]:
    made: list[Dropping] = []

    def drop(times: int) -> Dropping:
        made.append(Dropping(times))
        return made[-1]

    yield drop

    for one in made:
        one.close()


def fault_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [one.message for one in caplog.records if one.levelno == logging.ERROR]


def test_away_and_count_each_worker_counts(
    nowhere: str, limiter_with: Callable[..., Limiter]
) -> None:
    limiter = limiter_with(nowhere, "count")
    counts = [limiter.hit("a", TEN) for _ in range(12)]

    assert [count.allowed for count in counts] == [True] * 10 + [False] * 2
    assert counts[0].headers()["X-RateLimit-Remaining"] == "9"


def test_away_and_refuse_the_answer_is_503(
    nowhere: str, limiter_with: Callable[..., Limiter]
) -> None:
    limiter = limiter_with(nowhere, "refuse")

    for _ in range(3):
        with pytest.raises(LimiterUnavailable) as refused:
            limiter.spend("a", TEN, "Too many.")

        assert refused.value.status == 503
        assert refused.value.headers == {"Retry-After": "1"}
        assert "refused" in refused.value.detail
        assert "127.0.0.1" not in refused.value.message


def test_away_and_allow_nothing_is_counted_and_nothing_claimed(
    nowhere: str, limiter_with: Callable[..., Limiter]
) -> None:
    limiter = limiter_with(nowhere, "allow")
    counts = [limiter.spend("a", TEN, "Too many.") for _ in range(50)]

    assert all(count.allowed and not count.counted for count in counts)
    assert {str(count.headers()) for count in counts} == {"{}"}


@pytest.mark.parametrize("without_redis", ["count", "refuse", "allow"])
def test_the_check_up_sees_that_it_is_away(
    nowhere: str, limiter_with: Callable[..., Limiter], without_redis: str
) -> None:
    limiter = limiter_with(nowhere, without_redis)

    with pytest.raises(LimiterUnavailable):
        limiter.ping()

    assert "Connection refused" in limiter.fault


def test_a_silent_redis_costs_one_time_limit_and_then_nothing(
    silent: Silent, limiter_with: Callable[..., Limiter]
) -> None:
    limiter, begun = limiter_with(silent.url), time.monotonic()

    for _ in range(10):
        limiter.hit("a", TEN)

    assert silent.connections() == 1
    assert time.monotonic() - begun < 1.5


def test_after_a_rest_one_caller_tries_for_all(
    silent: Silent, limiter_with: Callable[..., Limiter], clock: Stopwatch
) -> None:
    limiter = limiter_with(silent.url)
    limiter.hit("a", TEN)
    clock.now = BACKOFF - 0.001
    limiter.hit("a", TEN)
    before = silent.connections()
    clock.now = BACKOFF
    threads = [threading.Thread(target=limiter.hit, args=("a", TEN)) for _ in range(8)]

    for thread in threads:
        thread.start()

    for thread in threads:
        thread.join()

    assert (before, silent.connections()) == (1, 2)


def test_it_goes_and_comes_back_and_each_is_logged_once(
    own_redis: OwnRedis,
    limiter_with: Callable[..., Limiter],
    clock: Stopwatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    limiter = limiter_with(own_redis.url)
    limiter.hit("a", TEN)
    own_redis.stop()

    for clock.now in (10.0, 10.1, 20.0, 30.0):  # noqa: B007 - each turn is a later call
        limiter.hit("a", TEN)

    away, limiter_fault = [one.message for one in caplog.records], limiter.fault
    own_redis.start()
    clock.now = 40.0
    counts = [limiter.hit("a", TEN) for _ in range(2)]
    back = [one.message for one in caplog.records][len(away) :]

    assert away == ["Redis cannot be asked: LIMITS_WITHOUT_REDIS is in force"]
    assert "Connection refused" in limiter_fault
    assert back == ["Redis can be asked again"]
    assert limiter.fault == ""
    assert [count.remaining for count in counts] == [9, 8]


def test_a_look_tells_that_it_is_back_without_waiting(
    own_redis: OwnRedis, limiter_with: Callable[..., Limiter]
) -> None:
    limiter = limiter_with(own_redis.url, "refuse")
    own_redis.stop()

    with pytest.raises(LimiterUnavailable):
        limiter.hit("a", TEN)

    own_redis.start()
    limiter.ping()

    assert limiter.fault == ""
    assert limiter.hit("a", TEN).remaining == 9


def test_a_redis_that_cannot_be_written_to_does_not_pass_for_working(
    own_redis: OwnRedis, limiter_with: Callable[..., Limiter]
) -> None:
    """As a replica, or one whose memory is full: both answer a PING."""
    with redis.Redis.from_url(own_redis.url) as client:
        client.config_set("min-replicas-to-write", 1)

    with pytest.raises(LimiterUnavailable, match="cannot be asked"):
        limiter_with(own_redis.url).ping()


def test_connections_that_died_meanwhile_are_no_failure(
    own_redis: OwnRedis, limiter_with: Callable[..., Limiter]
) -> None:
    limiter = limiter_with(own_redis.url, "refuse")
    limiter.hit("a", TEN)
    own_redis.stop()
    own_redis.start()

    assert limiter.hit("a", TEN).remaining == 9
    assert limiter.fault == ""


@pytest.mark.parametrize(("drops", "connections", "works"), [(1, 2, True), (9, 2, False)])
def test_a_broken_connection_is_tried_once_more(
    dropping: Callable[[int], Dropping],
    limiter_with: Callable[..., Limiter],
    drops: int,
    connections: int,
    works: bool,
) -> None:
    server = dropping(drops)
    limiter = limiter_with(server.url, "allow")

    assert limiter.hit("a", TEN).counted is works
    assert server.connections == connections


@pytest.mark.parametrize("how", ["nowhere", "silent", "own_redis"])
def test_the_password_is_in_no_text(
    request: pytest.FixtureRequest,
    limiter_with: Callable[..., Limiter],
    how: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    there = request.getfixturevalue(how)
    url = getattr(there, "url", there)
    limiter = limiter_with(url.replace("//", f"//:{PASSWORD}@"), "refuse")

    with pytest.raises(LimiterUnavailable) as refused:
        limiter.hit("a", TEN)

    told = [str(vars(one)) for one in caplog.records]
    told += [limiter.fault, refused.value.message, refused.value.detail, repr(refused.value)]
    assert len(fault_lines(caplog)) == 1
    assert not [text for text in told if PASSWORD in text]
