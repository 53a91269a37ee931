"""Nobody notices a rolling restart: the benchmark's code, with smaller numbers."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from benchmarks.rolling import restarted

pytestmark = pytest.mark.bulk


async def found(folder: Path, **options: Any) -> list[dict[str, Any]]:
    return [one async for one in restarted(folder, **options)]


def test_two_replicas_are_restarted_and_no_request_fails(tmp_path: Path) -> None:
    rounds = asyncio.run(found(tmp_path, restarts=2, rate=20, drain=6, lag=(0.2, 1.0)))

    assert [one["failures"] for one in rounds] == [{}, {}]
    assert all(one["asked"] > 50 for one in rounds)
    assert all(one["told"] > 0 for one in rounds), "kept connections were given up, not broken"
