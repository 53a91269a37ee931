"""Builds the image's layout into a plain folder by the Dockerfile's own steps, and runs it there.

For machines without a container engine. Needs root and overlay mounts (Linux). Below everything
is this machine's root, on which a copy of a Python lies at `/usr/local`, as in the official
images: without compiled modules and without tests. Each stage has a folder of what it adds.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from release.dockerfile import Stage, Step, lineage, stages
from release.installed import Failed

ROOT = Path(__file__).parent.parent
DOCKERFILE = ROOT / "Dockerfile"
BASE = "${BASE}"
ENVIRON = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
# Those of the machine's pip, whose package index is its own affair.
KEPT = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_CERT", "SSL_CERT_FILE", "PIP_CONFIG_FILE")
#: All that can be written while it runs.
TMP = "/tmp"  # noqa: S108 - a place to mount on
NOT_COPIED = shutil.ignore_patterns("__pycache__", "test", "tests", "idle_test", "*.a")


class Image:
    """The folders of an image's stages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stages = stages(DOCKERFILE)

    def build(self, name: str, python: str) -> None:
        """Build a stage, and those that it needs, on a copy of a Python."""
        self._make_base(python)
        needed = [step.options["from"] for stage in self._line(name) for step in stage.all("COPY")
                  if "from" in step.options]  # fmt: skip

        for stage in [*(self.stages[one] for one in dict.fromkeys(needed)), *self._line(name)]:
            Build(self, stage).run()

    def layer(self, name: str) -> Path:
        """Return the folder of what a stage adds."""
        return self.folder / "layers" / name

    def lower(self, name: str) -> str:
        """Return the folders below and of a stage, the uppermost first, as overlayfs has them."""
        layers = [self.layer(stage.name) for stage in reversed(self._line(name))]
        return ":".join(map(str, [*layers, self.layer("base"), Path("/")]))

    def environ(self, name: str) -> dict[str, str]:
        """Return the environment that a stage sets."""
        environ = dict(ENVIRON)

        for stage in self._line(name):
            for step in stage.all("ENV"):
                pairs = (word.partition("=") for word in step.words())
                environ.update({name: text for name, _, text in pairs})

        return environ

    def last(self, name: str, instruction: str) -> Step:
        """Return the step of a kind that is in force at the end of a stage."""
        return [step for stage in self._line(name) for step in stage.all(instruction)][-1]

    def _line(self, name: str) -> list[Stage]:
        return lineage(self.stages, name)

    def _make_base(self, python: str) -> None:
        asked = "import sys; print('%d.%d' % sys.version_info[:2], sys.base_prefix)"
        answer = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
        version, _, where = answer.stdout.strip().partition(" ")
        prefix = Path(where)
        local = self.layer("base") / "usr" / "local"

        # Of the prefix Python alone: it may be `/usr`.
        for found in (*prefix.glob("bin/python*"), *prefix.glob("lib/libpython*")):
            place = local / found.relative_to(prefix)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(found, place, follow_symlinks=False)

        for found in prefix.glob(f"lib/python{version}"):
            shutil.copytree(found, local / "lib" / found.name, symlinks=True, ignore=NOT_COPIED)

        for one in local.glob("lib/python3*/site-packages"):
            for package in one.iterdir():
                if not package.name.startswith(("pip", "setuptools")):
                    shutil.rmtree(package) if package.is_dir() else package.unlink()


class Build:
    """One stage's steps, taken one after the other."""

    def __init__(self, image: Image, stage: Stage) -> None:
        self.image = image
        self.stage = stage
        self.workdir = Path("/")

        for below in lineage(image.stages, stage.origin):
            for step in below.all("WORKDIR"):
                self.workdir /= step.text

    def run(self) -> None:
        """Take the steps."""
        self.image.layer(self.stage.name).mkdir(parents=True)

        for step in self.stage.steps:
            if step.instruction == "WORKDIR":
                self.workdir /= step.text
                self._within(self.workdir).mkdir(parents=True, exist_ok=True)
            elif step.instruction == "RUN":
                self._inside(*step.command())
            elif step.instruction == "COPY":
                self._copy(step)

    def _inside(self, *command: str) -> None:
        environ = self.image.environ(self.stage.name)
        environ |= {name: os.environ[name] for name in KEPT if name in os.environ}
        # ldconfig: the Python at /usr/local has a library there, as the official images'.
        script = f'{shutil.which("ldconfig")}; cd "$0" && exec "$@"'
        done = subprocess.run(
            [*self._mounted(), "sh", "-c", script, str(self.workdir), *command],
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

        if done.returncode:
            raise Failed(f"RUN {' '.join(command)}\n{done.stdout}{done.stderr}")

    def _within(self, path: Path) -> Path:
        return self.image.layer(self.stage.name) / str(path).lstrip("/")

    def _mounted(self) -> list[str]:
        layer = self.image.layer(self.stage.name)
        lower = self.image.lower(self.stage.origin)
        return mounted(self.image.folder, f"lowerdir={lower},upperdir={layer}", writable=True)

    def _copy(self, step: Step) -> None:
        *sources, to = step.words()
        target = self.workdir / to
        inside = self._within(target)

        for source in sources:
            if origin := step.options.get("from"):
                path = self.image.layer(origin) / source.lstrip("/")
            else:
                path = ROOT / source

            into = inside / path.name if to.endswith("/") else inside

            if path.is_dir():
                shutil.copytree(path, into, symlinks=True, dirs_exist_ok=True,
                                ignore=None if origin else NOT_COPIED)  # fmt: skip
            else:
                into.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(path, into)

            if owner := step.options.get("chown"):
                subprocess.run(["chown", "--recursive", owner, str(into)], check=True)


def mounted(folder: Path, options: str, *, writable: bool) -> list[str]:
    """Return the start of a command line that runs a command with an overlay as its root.

    The mounts are in a namespace of their own: they go when the command ends.
    """
    root, work = folder / "root", folder / "work"
    root.mkdir(exist_ok=True)
    work.mkdir(exist_ok=True)
    options += f",workdir={work}" if writable else ""
    script = (
        f"mount -t overlay overlay -o {options} {root}"
        f" && mount -t proc proc {root}/proc && mount --rbind /dev {root}/dev"
        + ("" if writable else f" && mount -t tmpfs -o mode=1777,size=64m tmpfs {root}{TMP}")
        + f' && exec {shutil.which("chroot")} {root} "$@"'
    )
    # As the first process of its own, as in a container.
    own = ["--mount", "--pid", "--fork", "--kill-child"]
    return ["unshare", *own, "sh", "-ec", script, "sh"]


def start(
    image: Image, name: str, settings: Mapping[str, str], command: Sequence[str], output: Path
) -> subprocess.Popen[bytes]:
    """Run a command in a stage as its user, with a root that is read only but for `/tmp`.

    The command is the first process of a process namespace: the only child of the one returned.
    """
    user, _, group = image.last(name, "USER").text.partition(":")
    workdir = image.last(name, "WORKDIR").text
    drop = ["setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups"]
    drop += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
    script = 'cd "$0" && exec "$@"'

    with output.open("ab") as file:
        return subprocess.Popen(
            [
                *mounted(image.folder, f"lowerdir={image.lower(name)},ro", writable=False),
                *(*drop, "sh", "-c", script, workdir, *command),
            ],
            env=image.environ(name) | {"HOME": "/"} | dict(settings),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )


def unavailable() -> str:
    """Say what keeps this machine from building in a folder; empty where nothing does."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "it needs root on Linux"

    tools = ("unshare", "chroot", "setpriv", "ldconfig", "nsenter")
    missing = [one for one in tools if shutil.which(one) is None]
    return f"{', '.join(missing)} missing" if missing else ""
