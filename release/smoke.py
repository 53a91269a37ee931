"""Installs the wheel, and the sdist, alone, and uses what was installed.

`python -m release.smoke FOLDER [VERSION …]`: the wheel on each Python from 3.11 to 3.13 that this
machine has, or on those named, all at the same time, each in an environment of its own; the sdist
on the newest. Where
`TEST_DATABASE_URL` and `TEST_REDIS_URL` are set the directory and the counters are there.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from release.installed import Failed, use

ROOT = Path(__file__).parent.parent
VERSIONS = ("3.11", "3.12", "3.13")
EXTRAS = "postgresql,redis"
ASKED = "import sys, venv; print('%d.%d' % sys.version_info[:2])"


def interpreters(versions: Sequence[str] = VERSIONS) -> dict[str, str]:
    """Find an interpreter for each version that this machine has."""
    found = {}

    for version in versions:
        for candidate in _candidates(version):
            done = subprocess.run(
                [candidate, "-c", ASKED], capture_output=True, text=True, check=False
            )

            if done.stdout.strip() == version:
                found[version] = candidate
                break

    return found


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable

    if on_path := shutil.which(f"python{version}"):
        yield on_path

    versions = Path.home() / ".pyenv" / "versions"
    yield from map(str, sorted(versions.glob(f"{version}.*/bin/python"), reverse=True))


def try_out(python: str, packages: Sequence[Path], folder: Path) -> str:
    """Install packages one after the other into an environment in a folder, and use each.

    Says what was done. Raises `Failed`.
    """
    environment = folder / "venv"
    _run([python, "-m", "venv", "--without-pip", str(environment)])
    inside = ["--python", str(environment / "bin" / "python")]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", *inside]
    # Without compiling: each module is loaded once or twice here.
    install = [*pip, "install", "--quiet", "--no-compile", "-c", str(ROOT / "constraints.txt")]
    said = []

    for number, package in enumerate(packages):
        began = time.monotonic()
        # What it depends on is there when the second comes, which was built of the same files.
        again = ["--force-reinstall", "--no-deps"] if number else []
        _run([*install, *again, f"{package}[{EXTRAS}]"])
        _run([*pip, "check"])
        installed = time.monotonic()
        work = folder / f"work-{number}"
        work.mkdir()
        seen = use(environment / "bin", work)
        used = time.monotonic()
        said.append(
            f"{package.name} installed in {installed - began:.0f} s, "
            f"used in {used - installed:.0f} s: {seen}"
        )

    return "\n  ".join(said)


def _run(command: list[str]) -> None:
    # From another folder than the checkout, so that nothing is imported from there.
    environ = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", env=environ
    )

    if done.returncode:
        raise Failed(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


def main() -> None:
    """Try everything out; exit with 1 where anything fails."""
    folder = Path(sys.argv[1]).absolute()
    (wheel,) = folder.glob("chatproxy-*.whl")
    (sdist,) = folder.glob("chatproxy-*.tar.gz")
    versions = sys.argv[2:] or VERSIONS
    pythons = interpreters(versions)

    if not pythons:
        sys.exit(f"none of Python {', '.join(versions)} is on this machine")

    newest = list(pythons)[-1]
    failed = False

    with tempfile.TemporaryDirectory() as temporary, ThreadPoolExecutor(len(pythons)) as pool:
        tasks = {}

        for version, python in pythons.items():
            # The sdist once.
            packages = [wheel, sdist] if version == newest else [wheel]
            tasks[version] = pool.submit(try_out, python, packages, Path(temporary) / version)

        for version, task in tasks.items():
            try:
                print(f"Python {version}\n  {task.result()}", flush=True)
            except (Failed, subprocess.TimeoutExpired) as error:
                failed = True
                print(f"Python {version}: FAILED\n{error}", file=sys.stderr, flush=True)

    if missing := [version for version in versions if version not in pythons]:
        print(f"not on this machine: Python {', '.join(missing)}")

    sys.exit(failed)


if __name__ == "__main__":
    main()
