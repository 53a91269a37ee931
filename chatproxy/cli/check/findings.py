"""What a check finds: problems and warnings, each with its place."""

import dataclasses
import re
from typing import Any, Literal

Level = Literal["error", "warning", "ok"]

#: The lines of the settings: a variable, perhaps a file and a line in it, what is wrong, the mend.
SETTING = re.compile(r"(?P<variable>[A-Z][A-Z0-9_]*)(?:, as kept in [^:]*)?: (?P<text>.*)", re.S)
FILE = re.compile(r"(?P<file>\S.*?) (?:cannot be used|could be written)\b", re.S)
LINE = re.compile(r"\bline (?P<line>[0-9]+)\b")


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was found.

    `about` is `settings`, `database`, or the name of a server. `variable`, `file` and `line` say
    where it is, as far as it has such a place.
    """

    level: Level
    about: str
    message: str
    variable: str | None = None
    file: str | None = None
    line: int | None = None

    def document(self) -> dict[str, Any]:
        """Return what a program reads."""
        fields = dataclasses.asdict(self)
        del fields["level"]
        return {name: value for name, value in fields.items() if value is not None}


def of_settings(problem: str) -> Finding:
    """Return the finding for a problem of the settings, with its place."""
    found = SETTING.fullmatch(problem)

    if found is None:
        return Finding("error", "settings", problem)

    file, line = FILE.match(found["text"]), LINE.search(found["text"])
    return Finding(
        "error",
        "settings",
        problem,
        variable=found["variable"],
        file=file and file["file"],
        line=int(line["line"]) if line else None,
    )
