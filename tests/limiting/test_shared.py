"""The counters in Redis: exact among processes, of bounded life, on one clock."""

import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis

from chatproxy.formats.rates import MICROSECONDS, Rate
from chatproxy.limiting.limiter import Count, Limiter, key_of
from chatproxy.limiting.shared import CROWD_CALLS, CROWD_LISTS, PREFIX
from tests.limiting.conftest import OwnRedis
from tests.stopwatch import Stopwatch

TEN = Rate.read("10 per 15 minutes")
THIRTY = Rate.read("30 per minute")

#: Counts 20 calls of each subject that it reads, and answers how many were let in.
PROCESS = """
import sys, time
from chatproxy.limiting.limiter import Limiter
from chatproxy.formats.rates import Rate
from chatproxy.settings.limits import LimiterSettings

limiter = Limiter(LimiterSettings(redis_url=sys.argv[1]), time.monotonic)
rate = Rate.read(sys.argv[2])
limiter.ping()
print("ready", flush=True)

for subject in sys.stdin:
    print(sum(limiter.hit(subject, rate).allowed for _ in range(20)), limiter.fault, flush=True)
"""


@pytest.fixture
def limiter(redis_url: str, limiter_with: Callable[..., Limiter]) -> Limiter:
    return limiter_with(redis_url, "refuse")


def name_of(subject: str, rate: Rate = TEN) -> str:
    return PREFIX + key_of(subject, rate).hex()


def put(counters: redis.Redis, subject: str, seconds: list[float]) -> None:
    """Write calls that were so many seconds ago, the oldest first; below 0: still to come."""
    now, part = counters.time()
    calls = [now * MICROSECONDS + part - int(ago * MICROSECONDS) for ago in seconds]
    counters.lpush(name_of(subject), *calls)
    counters.expire(name_of(subject), 60)


def test_of_n_and_50_calls_of_4_processes_n_are_counted(redis_url: str, subject: str) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, redis_url, str(THIRTY)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    told = [[process.stdout.readline()] for process in processes]

    for number in range(5):
        for process in processes:
            process.stdin.write(f"{subject} {number}\n")
            process.stdin.flush()

        for process, lines in zip(processes, told, strict=True):
            lines.append(process.stdout.readline())

    for process in processes:
        process.communicate(timeout=10)

    rounds = list(zip(*told, strict=True))
    assert rounds[0] == ("ready\n",) * 4
    assert [sum(map(int, one)) for one in rounds[1:]] == [30] * 5


def test_a_crowd_waits_for_few_connections(
    own_redis: OwnRedis,
    limiter_with: Callable[..., Limiter],
    monkeypatch: pytest.MonkeyPatch,
    subject: str,
) -> None:
    monkeypatch.setattr("chatproxy.limiting.shared.CONNECTIONS", 3)
    limiter = limiter_with(own_redis.url, "refuse")

    with ThreadPoolExecutor(40) as crowd:
        counts = list(crowd.map(lambda _: limiter.hit(subject, THIRTY), range(80)))

    with redis.Redis.from_url(own_redis.url) as client:
        connections = client.info("clients")["connected_clients"] - 1

    assert sum(count.allowed for count in counts) == 30
    assert 1 <= connections <= 3


def test_two_limiters_share_one_count(
    redis_url: str, limiter_with: Callable[..., Limiter], subject: str
) -> None:
    first, second = limiter_with(redis_url), limiter_with(redis_url)
    remaining = [one.hit(subject, TEN).remaining for one in (first, second) * 5]

    assert remaining == [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
    assert not first.hit(subject, TEN).allowed
    assert not second.hit(subject, TEN).allowed


def test_it_says_what_the_memory_says(
    limiter: Limiter, limiter_with: Callable[..., Limiter], subject: str
) -> None:
    three = Rate.read("3 per hour")
    in_memory = limiter_with()
    here = [in_memory.hit(subject, three) for _ in range(4)]
    there = [limiter.hit(subject, three) for _ in range(4)]

    assert here == there
    assert there[-1] == Count(allowed=False, limit=3, remaining=0, reset=3600)


def test_the_replicas_clock_does_not_matter(
    redis_url: str, limiter_with: Callable[..., Limiter], clock: Stopwatch, subject: str
) -> None:
    ahead, behind = limiter_with(redis_url), limiter_with(redis_url)
    clock.now = 3600.0
    spent = [ahead.hit(subject, TEN).allowed for _ in range(10)]
    clock.now = 0.0

    assert all(spent)
    assert not behind.hit(subject, TEN).allowed


def test_the_window_slides(limiter: Limiter, counters: redis.Redis, subject: str) -> None:
    put(counters, subject, [901, 900, 899.8, 300, 200, 100, 4, 3, 2, 1, 1])
    counts = [limiter.hit(subject, TEN) for _ in range(2)]
    time.sleep(0.25)

    assert [(one.allowed, one.remaining, one.reset) for one in counts] == [
        (True, 0, 1),
        (False, 0, 1),
    ]
    assert limiter.hit(subject, TEN).allowed
    assert not limiter.hit(subject, TEN).allowed


def test_what_is_kept_ends_with_the_window_and_tells_nothing(
    limiter: Limiter, counters: redis.Redis, subject: str
) -> None:
    for _ in range(20):
        limiter.hit(subject, TEN)

    names = list(counters.scan_iter("chatproxy:limit:*", 1000))
    calls = counters.lrange(name_of(subject), 0, -1)

    assert name_of(subject) in names
    assert 890_000 < counters.pttl(name_of(subject)) <= 900_000
    assert not [name for name in names if "ada@" in name or "example" in name]
    assert [len(calls), {len(call) for call in calls}] == [10, {16}]
    assert all(call.isdigit() for call in calls)


def test_a_clock_that_was_set_back_shuts_nobody_out(
    limiter: Limiter, counters: redis.Redis, subject: str
) -> None:
    put(counters, subject, [-3600] * 10)
    count = limiter.hit(subject, TEN)

    assert (count.allowed, count.remaining, count.reset) == (True, 9, 900)
    assert counters.llen(name_of(subject)) == 1


def test_a_clock_that_stepped_back_a_little_forgives_nothing(
    limiter: Limiter, counters: redis.Redis, subject: str
) -> None:
    """As where another server takes over, whose clock is a little behind."""
    put(counters, subject, [1] * 8 + [-0.9])
    counts = [limiter.hit(subject, TEN) for _ in range(2)]
    newest, *older = map(int, counters.lrange(name_of(subject), 0, -1))

    assert [count.allowed for count in counts] == [True, False]
    assert newest >= max(older)


def test_made_up_subjects_count_as_others_do(
    limiter: Limiter, limiter_with: Callable[..., Limiter], subject: str
) -> None:
    three = Rate.read("3 per hour")
    in_memory = limiter_with()
    here = [in_memory.hit(subject, three, made_up=True) for _ in range(4)]
    there = [limiter.hit(subject, three, made_up=True) for _ in range(4)]

    assert here == there
    assert there[-1] == Count(allowed=False, limit=3, remaining=0, reset=3600)
    assert limiter.hit(f"{subject} of another", three, made_up=True).remaining == 2


def test_the_window_of_a_made_up_subject_slides(limiter: Limiter, subject: str) -> None:
    two = Rate.read("2 per second")
    counts = [limiter.hit(subject, two, made_up=True) for _ in range(3)]
    time.sleep(1.05)

    assert [one.allowed for one in counts] == [True, True, False]
    assert limiter.hit(subject, two, made_up=True).remaining == 1


def test_any_number_of_made_up_subjects_takes_little_room(
    own_redis: OwnRedis, limiter_with: Callable[..., Limiter]
) -> None:
    limiter = limiter_with(own_redis.url, "refuse")
    limiter.hit("somebody", TEN)
    rooms = []

    with redis.Redis.from_url(own_redis.url) as client:
        for start in (0, 2000):
            with ThreadPoolExecutor(8) as crowd:
                subjects = (f"token {start + number}" for number in range(2000))
                list(crowd.map(lambda one: limiter.hit(one, TEN, made_up=True), subjects))

            rooms.append(client.dbsize())

        # As after a million: each list is full.
        for number in range(CROWD_LISTS):
            name = f"{PREFIX}crowd:{number}"
            call = client.lindex(name, 0)
            client.lpush(name, *[call] * (CROWD_CALLS + 100))

        for number in range(2000, 4000):
            limiter.hit(f"token {number}", TEN, made_up=True)

        longest = max(client.llen(name) for name in client.scan_iter(f"{PREFIX}crowd:*"))
        size = sum(client.memory_usage(name) for name in client.scan_iter(f"{PREFIX}crowd:*"))
        lives = {client.pttl(name) > 0 for name in client.scan_iter(f"{PREFIX}*")}

    assert rooms == [CROWD_LISTS + 1] * 2
    assert longest == CROWD_CALLS
    assert size < 5_000_000
    assert lives == {True}
    assert limiter.hit("somebody", TEN).remaining == 8


def test_a_clock_that_was_set_back_shuts_no_crowd_out(
    own_redis: OwnRedis, limiter_with: Callable[..., Limiter]
) -> None:
    limiter = limiter_with(own_redis.url, "refuse")
    limiter.hit("token", TEN, made_up=True)

    with redis.Redis.from_url(own_redis.url, decode_responses=True) as client:
        (name,) = client.keys(f"{PREFIX}crowd:*")
        call = client.lindex(name, 0)
        client.lpush(name, *[f"{int(call[:16]) + 3600 * MICROSECONDS}{call[16:]}"] * 10)

        assert limiter.hit("token", TEN, made_up=True).remaining == 9
        assert client.llen(name) == 1
