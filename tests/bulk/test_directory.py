"""Many callers at once, several workers, workers that die: what was promised holds.

The benchmarks' own measurements, with numbers small enough for every run.
"""

import os
from pathlib import Path

import pytest

from benchmarks import killed, limits, tokens
from tests.databases import KINDS, new_directory
from tests.providers.chatsdk.conftest import TOKEN_SECRETS

pytestmark = pytest.mark.bulk

SETTINGS = {"LOG_LEVEL": "trace", **TOKEN_SECRETS}
REQUESTS, USERS = 300, 30
ROUNDS = 5
KILLS = 5
WORKERS = 2


@pytest.mark.parametrize("kind", KINDS)
def test_many_requests_at_once_make_each_user_once(
    kind: str, output_folder: Path, tmp_path: Path
) -> None:
    with new_directory(kind, tmp_path) as url:
        found = tokens.made_at_once(output_folder, url, REQUESTS, USERS, **SETTINGS)

    print(f"{kind}: {found}")
    assert (found["failures"], found["reasons"]) == ({}, {})
    assert found["users"] == USERS
    assert found["holds"]


def test_a_limit_is_exact_over_workers(output_folder: Path, tmp_path: Path) -> None:
    redis_url = os.environ.get("TEST_REDIS_URL")

    if not redis_url:
        pytest.skip("TEST_REDIS_URL is not set: such as redis://127.0.0.1:6379/0")

    with new_directory("sqlite", tmp_path) as url:
        found = list(limits.admitted(output_folder, url, redis_url, ROUNDS, **SETTINGS))

    print(*found, sep="\n")
    expected = [(limits.ALLOWED, limits.MORE, {})] * ROUNDS
    assert [(one["admitted"], one["refused"], one["failures"]) for one in found] == expected
    # It is no proof where one worker served all.
    assert max(len(one["workers"]) for one in found) > 1


def test_a_killed_worker_loses_nothing_that_was_acknowledged(
    output_folder: Path, tmp_path: Path
) -> None:
    with new_directory("sqlite", tmp_path) as url:
        found = list(killed.survived(output_folder, url, WORKERS, KILLS, **SETTINGS))

    print(*found, sep="\n")
    assert [(one["lost"], one["integrity"]) for one in found] == [(0, "ok")] * KILLS
    assert all(one["before"] for one in found)
    # It is no proof where nobody was being served by those that died.
    assert any(one["failed"] for one in found)
