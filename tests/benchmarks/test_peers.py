"""The tables of a run beside other proxies, and what is left out of it."""

from pathlib import Path

import pytest

from benchmarks.peers import servers, tables
from benchmarks.peers.__main__ import in_turn
from benchmarks.peers.measures import Target
from benchmarks.peers.servers import JSON, KEY, TOKEN, peers
from benchmarks.request import Request


def round_of(cpu: float, p50: float) -> dict[str, float]:
    return {"cpu": cpu, "rate": 1.0, "p50": p50, "p99": p50}


FOUND = {
    "direct": {"get-1": [round_of(0, 0.1)], "idle": [0.0], "loaded": [0.0]},
    "plain": {"get-1": [round_of(400, 1.1)], "idle": [50.0], "loaded": [60.0]},
    "sidecar": {"get-1": [round_of(100, 0.6)], "idle": [40.0], "loaded": [41.0]},
}


def test_the_answers_are_of_200_bytes() -> None:
    assert len(JSON) == 200


def test_every_peer_is_first_once() -> None:
    orders = [list(in_turn("abc", number)) for number in range(4)]

    assert orders == [["a", "b", "c"], ["b", "c", "a"], ["c", "a", "b"], ["a", "b", "c"]]


def test_the_direct_callers_bring_the_credentials() -> None:
    direct = Target(1).of(Request("/app")).to_bytes(0)

    assert f"GET /app?api_key={KEY} ".encode() in direct
    assert f"\r\nAuthorization: {TOKEN}\r\n".encode() in direct


def test_a_call_is_compared_with_the_plain_proxy_and_no_proxy() -> None:
    *_, row = tables.of_requests("GET", FOUND, "get-1").splitlines()

    assert row.split("|")[1:4] == [" sidecar ", " 100 (100) ", " 0.25 (0.25) "]
    assert row.split("|")[-2] == " 0.50 (0.50) "


def test_only_what_was_measured_has_a_table() -> None:
    requests, memory = tables.every(FOUND)

    assert "## GET, answer of 200 B, 1 connection\n" in requests
    assert "| sidecar | 40.0 | 41.0 |" in memory


def test_what_is_missing_is_left_out_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers.shutil, "which", lambda *_, **__: None)
    told = tables.of_peers(peers(tmp_path, None))

    assert "| Go | left out: Go is not here (Debian: apt-get install golang-go) |" in told
    assert "| Node | left out: Node.js and npm are not here" in told
    assert servers.missing_upstream().startswith("nginx is not here")
