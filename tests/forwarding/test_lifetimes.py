"""How long a connection is used: it follows a name that moves, and what the upstream announces."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.canaries import API_KEY, API_SECRET
from tests.forwarding.addresses import NamedSidecar, write_places
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import ask, get

ECHO = "/proxy/_sandbox/echo"


def test_a_name_that_moves_is_followed_by_connections_that_are_always_busy(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar], tmp_path: Path
) -> None:
    places = tmp_path / "places"
    write_places(places, ("127.0.0.1", upstream.port))
    made = sidecar_before(
        "http://chat.example", PLACES=str(places), UPSTREAM_CONNECTION_MAX_AGE="1s"
    )

    with (
        StreamUpstream(api_key=API_KEY, api_secrets=[API_SECRET]) as other,
        NamedSidecar(made.output, made.environ) as sidecar,
    ):
        for _ in range(5):
            assert ask(sidecar.port, get(ECHO)).status == 200

        assert len({one.connection for one in upstream.journal}) < 5  # they are kept
        write_places(places, ("127.0.0.1", other.port))
        until = time.monotonic() + 20

        while not len(other.journal) and time.monotonic() < until:
            assert ask(sidecar.port, get(ECHO)).status == 200
            time.sleep(0.05)

        assert len(other.journal) > 0


@pytest.fixture(scope="module")
def running(upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    with sidecar_before(upstream.url) as sidecar:
        yield sidecar


@pytest.mark.parametrize("path", ["/proxy/app", "/-/check-up"], ids=["forwarded", "own call"])
@pytest.mark.parametrize(
    ("announced", "connections"), [("timeout=0", 2), ("timeout=60", 1), ("timeout=1e9, max=-1", 1)]
)
def test_what_the_upstream_announces_is_kept_to(
    upstream: StreamUpstream, running: Sidecar, path: str, announced: str, connections: int
) -> None:
    """Calls that come one after the other keep one connection at most."""
    upstream.faults.next(f"keep-alive={announced}", path="/app")
    assert ask(running.port, get(path)).status == 200
    assert ask(running.port, get(path)).status == 200

    assert len({one.connection for one in upstream.journal}) == connections
