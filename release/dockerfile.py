"""Reads a Dockerfile as far as ours goes: steps in exec form, by stage."""

import dataclasses
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

CONTINUED = re.compile(r"\\\n")
OPTION = re.compile(r"--([a-z-]+)=(\S+)\s+")


@dataclasses.dataclass(frozen=True)
class Step:
    """One instruction. `options` are its `--name=value`; `text` is what stands behind them."""

    instruction: str
    options: dict[str, str]
    text: str

    def command(self) -> list[str]:
        """Return the words of a command; raises `ValueError` where it is not in exec form."""
        found: list[str] = json.loads(self.text.removeprefix("CMD "))
        return found

    def words(self) -> list[str]:
        """Return what stands between blanks, without quotes."""
        return shlex.split(self.text)


@dataclasses.dataclass(frozen=True)
class Stage:
    """A stage, and what it is made from: another stage, or the base."""

    name: str
    origin: str
    steps: tuple[Step, ...]

    def all(self, instruction: str) -> list[Step]:
        """Return its steps of one kind."""
        return [step for step in self.steps if step.instruction == instruction]


def stages(path: Path) -> dict[str, Stage]:
    """Read the stages of a Dockerfile, by name, in their order."""
    found: dict[str, Stage] = {}
    name, origin, steps = "", "", list[Step]()

    for step in _steps(path.read_text()):
        if step.instruction == "FROM":
            if name:
                found[name] = Stage(name, origin, tuple(steps))

            origin, _, name = step.words()
            steps = []
        elif name:
            steps.append(step)

    found[name] = Stage(name, origin, tuple(steps))
    return found


def _steps(text: str) -> Iterator[Step]:
    lines = [line for line in text.splitlines(keepends=True) if not line.startswith("#")]

    for line in CONTINUED.sub(" ", "".join(lines)).splitlines():
        if line.strip():
            instruction, _, rest = line.partition(" ")
            options = {}

            while option := OPTION.match(rest):
                options[option[1]] = option[2]
                rest = rest[option.end() :]

            yield Step(instruction, options, rest.strip())


def lineage(found: dict[str, Stage], name: str) -> list[Stage]:
    """Return a stage and those that it is made from, the lowest first."""
    line: list[Stage] = []

    while name in found:
        line.insert(0, found[name])
        name = found[name].origin

    return line
