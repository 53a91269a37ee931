"""Where workers touch their file."""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from chatproxy.server import signs_of_life
from tests.commands import finished
from tests.sidecar import GUNICORN, ROOT, Sidecar, bare_environ
from tests.upstream import StreamUpstream
from tests.wire import ask, get


def test_the_first_folder_that_can_be_written_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    assert signs_of_life.folder([str(tmp_path)]) == str(tmp_path)
    assert signs_of_life.folder(["/proc", str(tmp_path / "file"), None]) is None
    assert signs_of_life.folder(["/nowhere", str(tmp_path)]) == str(tmp_path)


def test_without_any_the_error_says_what_to_do() -> None:
    with pytest.raises(OSError, match=r"Mount an empty one at /tmp"):
        signs_of_life.folder(["/proc", "/nowhere"])


def with_mounts(mounts: str) -> tuple[str, ...]:
    """A command that runs another one where those mounts are."""
    if os.geteuid() or shutil.which("unshare") is None:
        pytest.skip("mounting needs root and unshare")

    return ("unshare", "--mount", "sh", "-c", f'{mounts} && exec "$@"', "sh")


@pytest.mark.parametrize("options", ["ro", "nr_inodes=1"])
def test_memory_that_cannot_be_written_does_not_stop_the_start(
    options: str, upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    sidecar = sidecar_before(upstream.url, WORKERS="2")
    sidecar.run_by = with_mounts(f"mount -t tmpfs -o {options} tmpfs /dev/shm")

    with sidecar:
        assert ask(sidecar.port, get("/proxy/app")).status == 200


def test_without_any_folder_the_start_says_what_to_do() -> None:
    # What is in them stays: this checkout may be.
    read_only = (
        "for at in /dev/shm /tmp /var/tmp; do "
        "mount --bind $at $at && mount -o remount,bind,ro $at || exit 9; done"
    )
    done = finished(
        [*with_mounts(f"{read_only}; cd /proc"), sys.executable, *GUNICORN],
        bare_environ()
        | {"STREAM_API_KEY": "k", "STREAM_API_SECRET": "s" * 40, "PYTHONPATH": str(ROOT)},
    )

    assert done.returncode == 1
    assert done.stderr == (
        "chatproxy cannot start: no folder for temporary files can be written. "
        "Mount an empty one at /tmp\n"
    )
