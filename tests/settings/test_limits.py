"""What the limits' settings take, and what they say of the rest."""

import importlib.util
import subprocess
import sys

import pytest
from redis.connection import parse_url

from chatproxy.settings.limits import LimiterSettings
from chatproxy.settings.variables import read

TLS = "rediss://cache.example.org:6380/0"


def problems_of(**environ: str) -> list[str]:
    problems: list[str] = []
    read(LimiterSettings, environ, problems)
    return problems


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://redis.default.svc.cluster.local:6379/0",
        "redis://127.0.0.1:6379/15",
        "redis://[::1]:6379/0",
        "redis://:p%2Fw@redis:6379/0",
        "redis://name:p@ss:word!@redis",
        TLS,
        f"{TLS}?ssl_cert_reqs=none&ssl_check_hostname=false&ssl_ca_certs=/etc/ca.pem",
        "unix:///run/redis.sock",
        "unix://:secret@/run/redis.sock?db=3",
    ],
)
def test_a_url_that_the_library_takes_is_taken(url: str) -> None:
    assert problems_of(REDIS_URL=url) == []
    assert parse_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis",
        "http://localhost",
        "REDIS://localhost",
        "redis://",
        "redis:///0",
        "redis://redis:0/0",
        "redis://redis:65536/0",
        "redis://redis:port/0",
        "redis://a..b/0",
        f"redis://{'a' * 64}/0",
        "redis://redis/zero",
        "redis://redis/0/1",
        "redis://:pass/word@redis:6379/0",
        "redis://:12/word@redis:6379/0",
        "redis://user:12?word@redis:6379/0",
        "redis://user:12#word@redis:6379/0",
        "redis://:pass word@redis:6379/0",
        "redis://redis?socket_timeout=3600",
        "redis://redis?ssl_cert_reqs=none",
        f"{TLS}?max_connections=1000000",
        f"{TLS}?ssl_cert_reqs=maybe",
        f"{TLS}?nonsense=1",
        "unix://redis.sock",
        "unix:///run/redis.sock?db=first",
    ],
)
def test_a_url_that_could_mean_something_else_stops_the_start(url: str) -> None:
    assert problems_of(REDIS_URL=url) == [
        "REDIS_URL: is not a URL such as redis://:password@host:6379/0, "
        "the password percent-encoded."
    ]


def test_a_rate_that_cannot_be_read_is_named() -> None:
    assert problems_of(TOKEN_RATE_LIMIT="0 per minute") == [
        "TOKEN_RATE_LIMIT: is not a rate such as `10 per 15 minutes`."
    ]


def test_redis_without_its_library_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = LimiterSettings(redis_url="redis://localhost")
    there = list(settings.problems())
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    assert there == []
    assert list(LimiterSettings().problems()) == []
    assert list(settings.problems()) == [
        "REDIS_URL: needs the extra `redis`: pip install 'chatproxy[redis]'."
    ]


@pytest.mark.parametrize(
    "code",
    [
        "from chatproxy.settings.limits import LimiterSettings as S; "
        "list(S(redis_url='redis://a').problems())",
        "from chatproxy.limiting.limiter import Limiter, LimiterSettings as S; "
        "Limiter(S(), float).hit('a', S().token_rate)",
    ],
    ids=["settings", "counting in memory"],
)
def test_redis_is_not_loaded_by(code: str) -> None:
    """The server's first process reads the settings; who has no Redis need not have the library."""
    told = f"{code}; import sys; print('redis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)

    assert done.stdout.strip() == "False", done.stderr
