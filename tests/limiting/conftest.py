"""A Redis to count in, one to take away, and two that misbehave."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator

import pytest
import redis

from chatproxy.limiting.limiter import Limiter
from chatproxy.settings.limits import LimiterSettings
from tests.sidecar import free_port
from tests.stopwatch import Stopwatch


@pytest.fixture
def redis_url() -> str:
    url = os.environ.get("TEST_REDIS_URL")

    if not url:
        pytest.skip("TEST_REDIS_URL is not set: such as redis://127.0.0.1:6379/0")

    return url


@pytest.fixture
def counters(redis_url: str) -> Iterator[redis.Redis]:
    """What the limiter wrote, as one who looks into Redis sees it."""
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def subject() -> str:
    """One that no other test, and no other run, has counted."""
    return f"tokens ada@example.org {uuid.uuid4().hex}"


@pytest.fixture
def limiter_with(clock: Stopwatch) -> Iterator[Callable[..., Limiter]]:
    """Make a limiter from its settings."""
    made: list[Limiter] = []

    def limiter(redis_url: str | None = None, without_redis: str = "count") -> Limiter:
        settings = LimiterSettings(redis_url=redis_url, without_redis=without_redis)
        made.append(Limiter(settings, clock))
        return made[-1]

    yield limiter

    for one in made:
        one.close()


class Silent:
    """Takes connections and never answers."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        self._listener.setblocking(False)
        self._taken: list[socket.socket] = []
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    def connections(self) -> int:
        """How many were made so far."""
        while True:
            try:
                self._taken.append(self._listener.accept()[0])
            except BlockingIOError:
                return len(self._taken)

    def close(self) -> None:
        for one in (self._listener, *self._taken):
            one.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    made = Silent()
    yield made
    made.close()


@pytest.fixture
def nowhere() -> str:
    """The URL of a port where nobody listens."""
    return f"redis://127.0.0.1:{free_port()}/0"


class OwnRedis:
    """A Redis of this test alone, that can go away and come back."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._folder = tempfile.mkdtemp()
        command = ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1"]
        command += ["--dir", self._folder]  # a replica writes what it gets from its primary
        self._process = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
        )
        until = time.monotonic() + 10

        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
            except ConnectionRefusedError:
                time.sleep(0.02)
            else:
                return

        raise TimeoutError("redis-server does not start")

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)


@pytest.fixture
def own_redis(redis_url: str) -> Iterator[OwnRedis]:  # noqa: ARG001 - skips as the others do
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed: TEST_REDIS_URL is not enough to take it away")

    made = OwnRedis()
    made.start()
    yield made
    made.stop()
