"""A real sidecar puts its document in force: once, in the background, whatever happens to it."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.mounted import wait_for
from tests.providers.stream.permissions.applications import (
    READS,
    ApplicationUpstream,
    applied,
    written,
)
from tests.scraping import scrape
from tests.sidecar import Sidecar
from tests.wire import ask, get

DOCUMENT: dict[str, Any] = {
    "app": {f"role-{number}": ["search-user"] for number in range(5)} | {"user": ["!mute-user"]},
    "messaging": {"role-1": ["read-channel"], "user": []},
}
#: Longer than the sidecar needs to look, even on a busy machine.
SETTLES = 30


def note(sidecar: Sidecar) -> str:
    """What `/-/ready` shows; its status is 200 in any case."""
    answer = ask(sidecar.port, get("/-/ready"))
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.body)
    return str(found.get("permissions", {}).get("stream", ""))


def attempts(sidecar: Sidecar, **labels: str) -> float:
    return scrape(sidecar.port).value("chatproxy_permissions_attempts_total", **labels)


def pending(sidecar: Sidecar) -> float:
    return scrape(sidecar.port).value("chatproxy_permissions_pending")


def in_force(sidecar: Sidecar, times: int = 1) -> bool:
    return attempts(sidecar, outcome="in_force") == times and not pending(sidecar)


def lines(sidecar: Sidecar, msg: str) -> list[dict[str, Any]]:
    return [line for line in sidecar.lines() if line["msg"] == msg]


@pytest.fixture(scope="module")
def wanted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What there is once the document is in force, made by no sidecar."""
    return applied(written(tmp_path_factory.mktemp("wanted") / "p.json", DOCUMENT))


def dies_at_the_third_role(stream: ApplicationUpstream) -> None:
    """The third role is made, and nobody hears so."""
    for fault in ("slow=0", "slow=0", "never"):
        stream.faults.next(fault, path="/roles", method="POST")


def test_one_worker_puts_it_in_force_and_another_goes_on_where_it_is_killed(
    tmp_path: Path,
    stream: ApplicationUpstream,
    sidecar_before: Callable[..., Sidecar],
    wanted: Any,
) -> None:
    path = tmp_path / "p.json"
    dies_at_the_third_role(stream)

    with sidecar_before(
        stream.url, PERMISSIONS_CONFIG=written(path, DOCUMENT), WORKERS="2"
    ) as sidecar:
        wait_for(lambda: len(stream.writes()) == 3, SETTLES)
        holder = lines(sidecar, "permissions changed")[-1]["pid"]
        os.kill(holder, signal.SIGKILL)
        wait_for(lambda: in_force(sidecar), SETTLES)
        assert lines(sidecar, "permissions in force")[-1]["pid"] != holder
        assert note(sidecar) == ""
        assert stream.there() == wanted
        # Five roles, the application's grants, a type's. Nothing twice.
        assert len(stream.writes()) == len(set(stream.writes())) + 4 == 7
        assert stream.calls()[-len(READS) :] == [("GET", one) for one in READS]

        # The worker in its place has nothing to do, until the document changes.
        wait_for(lambda: scrape(sidecar.port).value("chatproxy_workers") == 2, SETTLES)
        stream.journal.clear()
        written(path, DOCUMENT | {"team": {"user": []}})
        wait_for(lambda: in_force(sidecar, 2), SETTLES)
        assert stream.writes() == [("PUT", "/channeltypes/team")]
        assert [call[0] for call in stream.calls()].count("GET") == 2 * len(READS)
        assert attempts(sidecar) == 2

        # Of a bad one nothing is taken over, and Stream is not asked about it.
        stream.journal.clear()
        written(path, {"app": {"user": ["!"]}})
        wait_for(lambda: "config" in json.loads(ask(sidecar.port, get("/-/ready")).body), SETTLES)
        assert stream.calls() == []


def test_a_server_that_is_killed_in_the_middle_comes_to_the_same_end(
    tmp_path: Path,
    stream: ApplicationUpstream,
    sidecar_before: Callable[..., Sidecar],
    wanted: Any,
) -> None:
    path = written(tmp_path / "p.json", DOCUMENT)
    dies_at_the_third_role(stream)

    with sidecar_before(stream.url, PERMISSIONS_CONFIG=path) as sidecar:
        wait_for(lambda: len(stream.writes()) == 3, SETTLES)

        for pid in (*sidecar.workers(), sidecar.process.pid):
            os.kill(pid, signal.SIGKILL)

        sidecar.process.wait()

    assert stream.there() != wanted
    stream.journal.clear()

    with sidecar_before(stream.url, PERMISSIONS_CONFIG=path) as sidecar:
        wait_for(lambda: in_force(sidecar), SETTLES)

    # Those that were there are not made again.
    assert stream.writes().count(("POST", "/roles")) == 2
    assert stream.there() == wanted


def test_neither_start_nor_readiness_waits_for_stream(
    tmp_path: Path, stream: ApplicationUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    """It accepts and says nothing; then it limits us; then it refuses a part of the document."""
    path = tmp_path / "p.json"
    stream.faults.next("never", path="/roles")
    stream.faults.next("status=429", path="/roles")

    with sidecar_before(
        stream.url,
        PERMISSIONS_CONFIG=written(path, {"team": {"user": []}}),
        UPSTREAM_READ_TIMEOUT="2",
        UPSTREAM_TOTAL_TIMEOUT="2",
    ) as sidecar:
        wait_for(lambda: note(sidecar) == "being put in force", SETTLES)
        wait_for(lambda: "429" in note(sidecar), SETTLES)
        assert note(sidecar).startswith(
            "not in force: Stream answered GET /roles with 429 (code 9). Tried 2 times, again in "
        )
        assert pending(sidecar) == 1
        assert stream.writes() == []
        assert {
            one: attempts(sidecar, outcome=one) for one in ("unreachable", "limited", "in_force")
        } == {"unreachable": 1, "limited": 1, "in_force": 0}

        # A changed document waits for nothing. One refused part holds up no other.
        written(path, {"team": {"user": ["fly-away"]}, "app": {"guest": []}})
        wait_for(lambda: "400" in note(sidecar), SETTLES)
        assert note(sidecar).startswith(
            "not in force: team.user: Stream has no permission fly-away. "
            "Stream answered PUT /channeltypes/team with 400 (code 4). Tried "
        )
        assert stream.there()["app"]["grants"]["guest"] == []
        assert pending(sidecar) == 1

        written(path, {"team": {"user": []}, "app": {"guest": []}})
        wait_for(lambda: in_force(sidecar), SETTLES)
        assert note(sidecar) == ""

    told = [line["permissions"] for line in lines(sidecar, "permissions not in force")]
    assert told[:3] == [
        {"fault": "The chat provider did not answer in time."},
        {
            "fault": "Stream answered GET /roles with 429 (code 9).",
        },
        {
            "fault": "team.user: Stream has no permission fly-away. Stream answered PUT "
            "/channeltypes/team with 400 (code 4).",
            "detail": "permission 'fly-away' does not exist",
        },
    ]
