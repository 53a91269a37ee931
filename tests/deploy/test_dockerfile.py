"""The Dockerfile, as far as it can be checked without an engine. `make image` takes its steps."""

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

import pytest

from chatproxy import __version__
from release.dockerfile import Step, lineage, stages
from tests.sidecar import ROOT

DOCKERFILE = ROOT / "Dockerfile"
STAGES = stages(DOCKERFILE)
SIDECAR = lineage(STAGES, "sidecar")


def last(instruction: str) -> Step:
    return [step for stage in SIDECAR for step in stage.all(instruction)][-1]


def lint(*arguments: str) -> str:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--no-color", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


def test_the_linter_finds_nothing() -> None:
    assert lint("Dockerfile") == ""


def test_the_linter_would_find_something(tmp_path: Path) -> None:
    bad = tmp_path / "Dockerfile"
    bad.write_text("FROM debian\nRUN cd /x && apt-get install curl\n")

    assert "DL3006" in lint(str(bad))


def test_who_names_no_stage_gets_the_sidecars() -> None:
    assert list(STAGES)[-1] == "sidecar"


def test_the_base_has_no_default_and_is_the_only_one() -> None:
    lines = re.findall(r"^ARG (.*)$", DOCKERFILE.read_text(), re.MULTILINE)

    assert lines == ["BASE"]
    assert {stage.origin for stage in STAGES.values()} - set(STAGES) == {"${BASE}"}


def test_it_runs_as_a_user_by_number() -> None:
    """A kubelet that is told `runAsNonRoot` cannot judge a name."""
    assert last("USER").text == "10001:10001"


def test_no_step_and_no_command_needs_a_shell() -> None:
    for stage in STAGES.values():
        for instruction in ("RUN", "CMD", "HEALTHCHECK"):
            for step in stage.all(instruction):
                assert step.command(), step.text


def test_what_it_runs_and_asks() -> None:
    assert last("CMD").command() == ["chatproxy", "serve"]
    assert last("HEALTHCHECK").command() == ["chatproxy", "health"]
    assert last("STOPSIGNAL").text == "SIGTERM"


def test_packages_are_installed_by_their_hashes_or_from_what_was_built_here() -> None:
    commands = [step.command() for stage in STAGES.values() for step in stage.all("RUN")]
    installs = [command for command in commands if "pip" in command]

    assert len(installs) == 4
    assert all(
        "--require-hashes" in one or {"--no-index", "--no-deps"} <= set(one) for one in installs
    )


def ignored(path: str) -> bool:
    """Whether the context lacks a path, by the lines of `.dockerignore` (the last that fits)."""
    answer = False

    for line in (ROOT / ".dockerignore").read_text().splitlines():
        pattern = line.removeprefix("!")

        if line and line[0] != "#" and (fnmatch.fnmatch(path, pattern) or pattern == "*"):
            answer = not line.startswith("!")

    return answer


@pytest.mark.parametrize(
    "source",
    sorted(
        {
            source
            for stage in STAGES.values()
            for step in stage.all("COPY")
            if "from" not in step.options
            for source in step.words()[:-1]
        }
    ),
)
def test_what_is_copied_is_in_the_context(source: str) -> None:
    assert (ROOT / source).exists()
    assert not ignored(source)


@pytest.mark.parametrize("path", [".git", ".env", ".venv", "var", "tests", "docs", "configmap"])
def test_nothing_else_is_in_the_context(path: str) -> None:
    assert ignored(path)


def test_the_label_has_the_version() -> None:
    labels = dict(word.split("=", 1) for word in last("LABEL").words())

    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == "MIT"
