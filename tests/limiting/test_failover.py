"""Redis is there and refuses, or its name stands for another: kept connections are thrown away."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from chatproxy.errors import LimiterUnavailable
from chatproxy.formats.rates import Rate
from chatproxy.limiting.limiter import Limiter
from chatproxy.limiting.shared import BACKOFF
from tests.limiting.conftest import OwnRedis, Silent
from tests.limiting.failover import Name, Pair, pair
from tests.stopwatch import Stopwatch

TEN = Rate.read("10 per 15 minutes")
THOUSAND = Rate.read("1000 per 15 minutes")
SETTINGS = ("count", "refuse", "allow")
COUNTED = b"*3\r\n:1\r\n:9\r\n:900000000\r\n"

#: What a server answers that counts nothing now, or never will: from its source, server.c, acl.c.
REFUSALS = {
    "readonly": "READONLY You can't write against a read only replica.",
    "readonly in a script": "ERR Error running script (call to f_0): @user_script: 5: -READONLY",
    "loading": "LOADING Redis is loading the dataset in memory",
    "masterdown": "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is 'no'.",
    "clusterdown": "CLUSTERDOWN The cluster is down",
    "moved": "MOVED 3999 127.0.0.1:6381",
    "moved, unreadable": "MOVED elsewhere",
    "ask": "ASK 3999 127.0.0.1:6381",
    "tryagain": "TRYAGAIN Multiple keys request during rehashing of slot",
    "busy": "BUSY Redis is busy running a script. You can only call SCRIPT KILL.",
    "oom": "OOM command not allowed when used memory > 'maxmemory'.",
    "noreplicas": "NOREPLICAS Not enough good replicas to write.",
    "misconf": "MISCONF Redis is configured to save RDB snapshots, but cannot persist on disk.",
    "noauth": "NOAUTH Authentication required.",
    "wrongpass": "WRONGPASS invalid username-password pair or user is disabled.",
    "noperm": "NOPERM this user has no permissions to run the 'evalsha' command",
    "maxclients": "ERR max number of clients reached",
    "unblocked": "UNBLOCKED force unblock from blocking operation, instance state changed",
}


class Refusing:
    """Refuses on its first connection, whatever is asked, and counts on all others."""

    def __init__(self, refusal: bytes) -> None:
        self._refusal = refusal
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.connections = 0
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while self._listener.fileno() > 0:
            try:
                taken, _ = self._listener.accept()
            except OSError:
                return

            answer = COUNTED if self.connections else self._refusal
            self.connections += 1
            threading.Thread(target=self._serve, args=(taken, answer), daemon=True).start()

    def _serve(self, taken: socket.socket, answer: bytes) -> None:
        with taken:
            while taken.recv(65536):
                taken.sendall(answer)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def redis_pair(own_redis: OwnRedis) -> Iterator[Pair]:  # noqa: ARG001 - skips where none can be had
    with pair() as made:
        yield made


@pytest.fixture
def admin(own_redis: OwnRedis) -> Iterator[redis.Redis]:
    """One who sets up and looks."""
    with redis.Redis.from_url(own_redis.url) as client:
        client.ping()
        yield client


@pytest.mark.parametrize("without_redis", SETTINGS)
def test_after_a_failover_the_new_primary_counts_and_nobody_notices(
    redis_pair: Pair, limiter_with: Callable[..., Limiter], without_redis: str
) -> None:
    limiter = limiter_with(redis_pair.url, without_redis)
    limiter.hit("a", TEN)
    redis_pair.promote()
    redis_pair.demote()
    redis_pair.replica.flushall()
    count = limiter.hit("b", TEN)

    assert (count.allowed, count.counted, count.remaining) == (True, True, 9)
    assert limiter.fault == ""
    assert redis_pair.replica.dbsize() == 1


@pytest.mark.parametrize("without_redis", SETTINGS)
def test_while_nobody_takes_writes_the_setting_decides_and_then_it_counts_again(
    redis_pair: Pair,
    limiter_with: Callable[..., Limiter],
    clock: Stopwatch,
    without_redis: str,
) -> None:
    limiter = limiter_with(redis_pair.url, without_redis)
    limiter.hit("a", TEN)
    redis_pair.demote()

    if without_redis == "refuse":
        with pytest.raises(LimiterUnavailable):
            limiter.hit("a", TEN)
    else:
        assert limiter.hit("a", TEN).counted is (without_redis == "count")

    assert "ReadOnly" in limiter.fault
    redis_pair.promote()
    clock.now += BACKOFF

    assert limiter.hit("b", TEN).remaining == 9
    assert limiter.fault == ""


@pytest.mark.parametrize("made_up", [False, True])
def test_a_replica_does_not_refuse_with_a_count_of_its_own(
    redis_pair: Pair, limiter_with: Callable[..., Limiter], made_up: bool
) -> None:
    """Who had used up the limit would be refused by the old primary until the window is over."""
    limiter = limiter_with(redis_pair.url, "refuse")

    for _ in range(11):
        limiter.hit("a", TEN, made_up=made_up)

    redis_pair.promote()
    redis_pair.demote()
    redis_pair.replica.flushall()

    assert limiter.hit("a", TEN, made_up=made_up).remaining == 9


def test_check_up_and_readiness_see_a_replica_at_once(
    redis_pair: Pair, limiter_with: Callable[..., Limiter], clock: Stopwatch
) -> None:
    limiter = limiter_with(redis_pair.url)
    limiter.ping()
    redis_pair.demote()

    with pytest.raises(LimiterUnavailable):
        limiter.ping()

    clock.now += BACKOFF
    assert "ReadOnly" in limiter.look()
    redis_pair.promote()
    clock.now += BACKOFF
    assert limiter.look() == ""


def test_readiness_waits_for_nobody(
    silent: Silent, limiter_with: Callable[..., Limiter], clock: Stopwatch
) -> None:
    limiter, begun = limiter_with(silent.url), time.monotonic()
    clock.now = 10.0

    for _ in range(5):
        limiter.look()

    assert time.monotonic() - begun < 0.5


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_ends_the_kept_connection_and_another_is_asked(
    limiter_with: Callable[..., Limiter], refusal: str
) -> None:
    server = Refusing(f"-{refusal}\r\n".encode())

    try:
        assert limiter_with(server.url, "refuse").hit("a", TEN).remaining == 9
        assert server.connections == 2
    finally:
        server.close()


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 \r\n\r\n", b":x\r\n", b":7\r\n", b"*1\r\n:1\r\n"]
)
def test_what_is_no_answer_of_ours_is_a_refusal_too(
    limiter_with: Callable[..., Limiter], answer: bytes
) -> None:
    server = Refusing(answer)

    try:
        assert limiter_with(server.url, "refuse").hit("a", TEN).remaining == 9
    finally:
        server.close()


def test_connections_that_fell_silent_cost_one_time_limit_together(
    own_redis: OwnRedis, limiter_with: Callable[..., Limiter], clock: Stopwatch
) -> None:
    name = Name(own_redis.port)
    limiter = limiter_with(name.url, "refuse")

    with ThreadPoolExecutor(20) as crowd:
        list(crowd.map(lambda _: limiter.hit("a", THOUSAND), range(200)))
        kept = name.connections
        name.silence()

        with pytest.raises(LimiterUnavailable):
            limiter.hit("a", THOUSAND)

        clock.now += BACKOFF
        limiter.hit("a", THOUSAND)
        counts = list(crowd.map(lambda _: limiter.hit("a", THOUSAND), range(200)))

    name.close()
    assert kept > 1
    assert all(count.allowed for count in counts)
    assert limiter.fault == ""


def test_killed_connections_and_forgotten_scripts_are_no_failure(
    own_redis: OwnRedis, admin: redis.Redis, limiter_with: Callable[..., Limiter]
) -> None:
    limiter = limiter_with(own_redis.url, "refuse")
    limiter.hit("a", TEN)
    admin.script_flush()
    assert limiter.hit("a", TEN).remaining == 8
    admin.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    assert limiter.hit("a", TEN).remaining == 7
    assert limiter.fault == ""


@pytest.mark.parametrize(
    ("name", "refusing", "counting"),
    [
        ("maxmemory", "1", "0"),
        ("min-replicas-to-write", "1", "0"),
        ("requirepass", "another-password", ""),
    ],
)
def test_what_an_operator_set_and_took_back_is_forgotten(
    own_redis: OwnRedis,
    admin: redis.Redis,
    limiter_with: Callable[..., Limiter],
    clock: Stopwatch,
    name: str,
    refusing: str,
    counting: str,
) -> None:
    limiter = limiter_with(own_redis.url, "refuse")
    limiter.hit("a", TEN)
    admin.config_set(name, refusing)
    others = "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"
    admin.execute_command(*others)  # else a connection outlives the change of a password

    with pytest.raises(LimiterUnavailable):
        limiter.hit("b", TEN)

    with pytest.raises(LimiterUnavailable):
        limiter.ping()

    clock.now += BACKOFF
    assert limiter.look()
    admin.config_set(name, counting)
    clock.now += BACKOFF

    assert limiter.hit("c", TEN).remaining == 9
    assert limiter.fault == ""


def test_what_is_taken_back_is_taken_from_the_new_primary(
    redis_pair: Pair, limiter_with: Callable[..., Limiter]
) -> None:
    limiter = limiter_with(redis_pair.url, "refuse")
    limiter.hit("a", TEN)
    redis_pair.promote()
    redis_pair.demote()
    limiter.give_back("a", TEN)

    assert limiter.hit("a", TEN).remaining == 9
