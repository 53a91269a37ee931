"""`chatproxy openapi`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sidecar import bare_environ

COMMAND = [sys.executable, "-m", "chatproxy.cli", "openapi"]


def run(folder: Path, *options: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options],
        cwd=folder,
        env=bare_environ() | {"PYTHONPATH": str(Path(__file__).parents[2])} | environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_needs_no_setting_and_leaves_nothing_behind(tmp_path: Path) -> None:
    done = run(tmp_path, HOME=str(tmp_path))
    found = json.loads(done.stdout)

    assert (done.returncode, done.stderr) == (0, "")
    assert [one["name"] for one in found["tags"]] == ["sidecar", "Stream"]
    assert list(tmp_path.iterdir()) == []


def test_all_providers_are_as_committed(tmp_path: Path) -> None:
    """Whatever else is set: the document depends on nothing that is secret, and reads no file."""
    done = run(
        tmp_path,
        "--all-providers",
        STREAM_API_SECRET_FILE="/nowhere",
        DATABASE_URL="nonsense",
        STYLE_CONFIG="/nowhere",
        PROVIDERS="stream",
    )
    committed = Path(__file__).parents[2] / "docs" / "openapi.json"

    assert done.stderr == ""
    assert done.stdout == committed.read_text()


@pytest.mark.parametrize(
    ("environ", "told"),
    [({"PROVIDERS": "streem"}, "PROVIDERS"), ({"SERVICE_PREFIX": "chat/"}, "SERVICE_PREFIX")],
)
def test_a_bad_setting_is_told(tmp_path: Path, environ: dict[str, str], told: str) -> None:
    done = run(tmp_path, **environ)

    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr
