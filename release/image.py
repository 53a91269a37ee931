"""Builds the image's layout in a folder, uses and measures it: `python -m release.image [STARTS]`.

As the Dockerfile says: as its user, with a root that is read only but for `/tmp`, as the first
process of its own. Without root or overlay mounts it says so, and ends with 3.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import median

from release.folder import TMP, Image, start, unavailable
from release.installed import API_SECRET, SIGNED, Failed, ask, free_port, metrics
from release.lock import PYTHON
from release.smoke import interpreters

#: In the environment of the second process, which has mounts of its own.
INSIDE = "CHATPROXY_IMAGE_FOLDER"
STAGE = "sidecar"
NOT_HERE = 3
SETTLE = 3.0
WITHIN = 60.0
STREAM = {"STREAM_API_KEY": "image-key", "STREAM_API_SECRET": API_SECRET}
FIVE = {
    **STREAM,
    **SIGNED,
    "PROVIDERS": "stream,chatsdk,performchat,imkit,imbachat",
    "PERFORMCHAT_JWT_SECRET": "image-performchat-secret-00000000000001",
    "IMBACHAT_API_PASSWORD": "image-imbachat-password-000000000000001",
    "IMBACHAT_SECRET_KEY": "image-imbachat-secret-00000000000000001",
    "DATABASE_URL": f"sqlite:///{TMP}/data/chatproxy.db",
}
KINDS = {"Stream alone": STREAM, "five providers, SQLite": FIVE}
WRITES = ("/written", "/data/written", "/opt/chatproxy/written", "/usr/local/written")


def first_process(outer: subprocess.Popen[bytes]) -> int:
    """Return the id, on this machine, of what is the first process in there."""
    children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
    return int(children[0])


@contextlib.contextmanager
def running(image: Image, settings: Mapping[str, str]) -> Iterator[tuple[int, float, int]]:
    """Run the image's command; yield its port, the seconds until it was ready and its process."""
    port, log = free_port(), image.folder / "log"
    log.unlink(missing_ok=True)
    command = image.last(STAGE, "CMD").command()
    began = time.monotonic()
    outer = start(image, STAGE, {**settings, "HTTP_PORT": str(port)}, command, log)

    try:
        while True:
            with contextlib.suppress(OSError, ValueError):
                if ask(port, "GET", "/-/ready")[0] == 200:
                    break

            if outer.poll() is not None or time.monotonic() - began > WITHIN:
                raise Failed(f"it does not serve\n{log.read_text()}")

            time.sleep(0.01)

        yield port, time.monotonic() - began, first_process(outer)
        os.kill(first_process(outer), signal.SIGTERM)

        if code := outer.wait(WITHIN):
            raise Failed(f"SIGTERM ended it with {code}\n{log.read_text()}")
    finally:
        outer.kill()
        outer.wait()


def within(image: Image, pid: int, settings: Mapping[str, str], *command: str) -> int:
    """Run a command beside a process that runs in the image; return its exit code."""
    user = Path(f"/proc/{pid}").stat().st_uid
    own = ["nsenter", f"--target={pid}", "--mount", "--pid", "--root", "--wd"]
    done = subprocess.run(
        [*own, "setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *command],
        env=image.environ(STAGE) | dict(settings),
        capture_output=True,
        check=False,
    )
    return done.returncode


def try_out(image: Image) -> None:
    """Use the image with all providers; raise `Failed` where something is not as it should be."""
    with running(image, FIVE) as (port, _, pid):
        settings = {**FIVE, "HTTP_PORT": str(port)}
        user = image.last(STAGE, "USER").text.partition(":")[0]
        health = image.last(STAGE, "HEALTHCHECK").command()
        write = ("python", "-c", "import sys; open(sys.argv[1], 'w')")
        seen = {
            f"it runs as {user}": str(Path(f"/proc/{pid}").stat().st_uid) == user,
            "its health check says yes": within(image, pid, settings, *health) == 0,
            f"it can write to {TMP}": within(image, pid, settings, *write, f"{TMP}/w") == 0,
            "it mints a token": ask(port, "GET", "/token/alice")[0] == 201,
            "it counts": 'chatproxy_tokens_minted_total{provider="stream"} 1.0' in metrics(port),
        }

        for path in WRITES:
            seen[f"it cannot write {path}"] = within(image, pid, settings, *write, path) == 1

    if failed := [what for what, holds in seen.items() if not holds]:
        raise Failed(f"not so: {'; '.join(failed)}")

    print(f"as {user}, read only but for {TMP}: serve, health, a token, metrics, SIGTERM")


def measure(image: Image, settings: Mapping[str, str], starts: int) -> tuple[list[float], float]:
    """Start several times; return the seconds to ready of each, and the median idle memory."""
    seconds, sizes = [], []

    for _ in range(starts):
        with running(image, settings) as (_, took, pid):
            time.sleep(SETTLE)
            seconds.append(took)
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            sizes.append(sum(map(pss, [pid, *map(int, children)])))

    return seconds, median(sizes)


def pss(pid: int) -> int:
    """Return a process's proportional share of the memory that it holds, in bytes."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024

    return 0


def megabytes(folder: Path) -> float:
    """Return what the files of a folder hold together, in 10^6 bytes."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files) / 1e6


def build_and_use(folder: Path, starts: int) -> None:
    """Build, use and measure in a folder that is a file system of its own."""
    # An overlay's folders must not lie in one another, and the lowest is this machine's root.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], check=True)
    found = interpreters()
    version = PYTHON if PYTHON in found else list(found)[-1]
    began = time.monotonic()
    image = Image(folder)
    image.build(STAGE, found[version])
    print(f"built on Python {version} in {time.monotonic() - began:.0f} s")
    try_out(image)
    added = image.layer("installed")
    print(f"above the base: {megabytes(added):.1f} MB, {megabytes(added / 'opt'):.1f} of them /opt")

    for name, settings in KINDS.items():
        seconds, size = measure(image, settings, starts)
        each = ", ".join(f"{one:.2f}" for one in seconds)
        print(f"{name}: {size / 1e6:.1f} MB idle (PSS), {median(seconds):.2f} s to ready ({each})")


def main() -> None:
    """Go on in a mount namespace of its own, so that nothing is left mounted."""
    starts = sys.argv[1] if len(sys.argv) > 1 else "1"

    if os.environ.get(INSIDE):
        build_and_use(Path(os.environ[INSIDE]), int(starts))
        return

    if reason := unavailable():
        print(f"the image's layout was not tried: {reason}", file=sys.stderr)
        sys.exit(NOT_HERE)

    with tempfile.TemporaryDirectory() as folder:
        again = [sys.executable, "-m", "release.image", starts]
        own = ["unshare", "--mount", "--propagation", "private"]
        sys.exit(
            subprocess.run(
                [*own, *again], env={**os.environ, INSIDE: folder}, check=False
            ).returncode
        )


if __name__ == "__main__":
    main()
