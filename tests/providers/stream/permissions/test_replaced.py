"""Three workers, and others in their places: it is put in force once for each start."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.mounted import wait_for
from tests.providers.stream.permissions.applications import ApplicationUpstream, written
from tests.scraping import scrape
from tests.sidecar import Sidecar
from tests.wire import ask, get

WORKERS = 3
SETTLES = 120
#: Some looks of every worker (`upkeep.work.TICK`).
LOOKS = 4.0


def value(sidecar: Sidecar, name: str) -> float:
    return scrape(sidecar.port).value(f"chatproxy_{name}")


def others(sidecar: Sidecar, before: set[int]) -> bool:
    """Whether others are in the places of these, and serve."""
    now = set(sidecar.workers())

    if len(now) != WORKERS or now & before:
        return False

    return value(sidecar, "workers") == WORKERS


def test_no_worker_that_takes_anothers_place_does_it_again(
    tmp_path: Path, stream: ApplicationUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    """By SIGHUP, by `kill -9`, and by `MAX_REQUESTS`."""
    path = written(tmp_path / "p.json", {"app": {"support": []}, "team": {"user": []}})

    with sidecar_before(
        stream.url, PERMISSIONS_CONFIG=path, WORKERS=str(WORKERS), MAX_REQUESTS="60"
    ) as sidecar:
        wait_for(lambda: value(sidecar, "workers") == WORKERS, SETTLES)
        wait_for(lambda: value(sidecar, "permissions_attempts_total") == 1, SETTLES)
        time.sleep(LOOKS)
        assert len(stream.writes()) == 2
        stream.journal.clear()

        before = set(sidecar.workers())
        sidecar.process.send_signal(signal.SIGHUP)
        wait_for(lambda: others(sidecar, before), SETTLES)

        # All but one, so that somebody answers meanwhile.
        killed = set(sidecar.workers()[1:])

        for pid in killed:
            os.kill(pid, signal.SIGKILL)

        wait_for(lambda: others(sidecar, killed), SETTLES)
        before = set(sidecar.workers())

        def asked_until_replaced() -> bool:
            for _ in range(50):
                ask(sidecar.port, get("/api-key"))

            return bool(before - set(sidecar.workers()))

        wait_for(asked_until_replaced, SETTLES)
        time.sleep(LOOKS)
        assert stream.calls() == []
        assert value(sidecar, "permissions_attempts_total") == 1
        assert value(sidecar, "permissions_pending") == 0
