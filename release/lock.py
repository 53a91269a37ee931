"""Writes the exact packages of the image, with their hashes: `python -m release.lock`.

`deploy/image/requirements.txt` is what `setup.cfg` needs with the image's extras, in the versions
of `constraints.txt`; `build-requirements.txt` is what `pyproject.toml` needs to build the wheel.
Both have the hashes of every file of a version, so they hold on each architecture; that there is
a wheel of each package for those of the image is tried.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "deploy" / "image"
EXTRAS = ("postgresql", "redis", "socketio", "otel")
#: The base image's Python, and the architectures that an image is built for.
PYTHON = "3.13"
ARCHITECTURES = ("x86_64", "aarch64")
HEADER = "# Made by `make lock`. Changes belong into setup.cfg and constraints.txt.\n"
# Of the machine that compiles nothing goes into the file: no index, no path, no options.
OPTIONS = (
    *("--quiet", "--generate-hashes", "--strip-extras", "--no-header", "--no-annotate"),
    *("--no-emit-index-url", "--no-emit-trusted-host", "--no-emit-options"),
    *("--no-emit-find-links", "--allow-unsafe", "--constraint", "constraints.txt"),
)


def compile_requirements(name: str, source: str, *options: str, stdin: str = "") -> None:
    """Write a file of the image's folder from what a source requires."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / name
        command = [sys.executable, "-m", "piptools", "compile", *OPTIONS, *options]
        command += ["--output-file", str(output), source]
        subprocess.run(command, cwd=ROOT, input=stdin, text=True, check=True)
        (FOLDER / name).write_text(HEADER + output.read_text())


def try_architecture(name: str, architecture: str) -> None:
    """Fetch every wheel that an architecture needs, by its hash."""
    platforms = [f"--platform=manylinux{one}_{architecture}" for one in ("2014", "_2_28")]
    options = ["--only-binary=:all:", f"--python-version={PYTHON}", "--no-deps", *platforms]
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"]

    with tempfile.TemporaryDirectory() as folder:
        required = ["--require-hashes", "-r", str(FOLDER / name), "--dest", folder]
        subprocess.run([*command, *options, *required], check=True)


def main() -> None:
    """Write both files, and try them on each architecture."""
    extras = [f"--extra={one}" for one in EXTRAS]
    compile_requirements("requirements.txt", "setup.cfg", *extras)
    backend = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    compile_requirements("build-requirements.txt", "-", stdin="\n".join(backend))

    for name in ("requirements.txt", "build-requirements.txt"):
        for architecture in ARCHITECTURES:
            try_architecture(name, architecture)
            print(f"{name}: a wheel of each package for {architecture}")


if __name__ == "__main__":
    main()
