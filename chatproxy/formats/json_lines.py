"""Where things are in a JSON document, which its parser does not say."""

import dataclasses
import json
import re
from collections.abc import Mapping

from chatproxy.formats import strictjson

#: A text, a mark, or a word: a number, or a constant.
SIGN = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[\[\]{}:,]|[^\s\[\]{}:,"]+',
    re.DOTALL,
)

Place = tuple[str | int, ...]


@dataclasses.dataclass(frozen=True)
class Lines:
    """The line of each place, from 1.

    `faults` are what is grammar and yet refused by `strictjson`: a place, its line, and why.
    """

    lines: Mapping[Place, int]
    faults: tuple[tuple[Place, int, str], ...]

    def line_of(self, place: Place) -> int:
        """Return the line of a place, or of what it would be in."""
        while place not in self.lines and place:
            place = place[:-1]

        return self.lines.get(place, 1)


@dataclasses.dataclass
class _Open:
    """An object or a list whose end has not come.

    `names` are an object's, with their lines. `name` is None where the next one has to come.
    """

    place: Place
    is_object: bool
    names: dict[str, int] = dataclasses.field(default_factory=dict)
    name: str | None = None
    at: int = 0

    def inner(self) -> Place:
        return (*self.place, str(self.name) if self.is_object else self.at)


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self.faults: list[tuple[Place, int, str]] = []
        self._inside: list[_Open] = []

    def take(self, sign: str, line: int) -> None:
        outer = self._inside[-1] if self._inside else None

        if sign in "]}":
            del self._inside[-1:]
        elif sign == ",":
            if outer is not None:
                outer.at, outer.name = outer.at + 1, None
        elif sign == ":":
            pass
        elif outer is not None and outer.is_object and outer.name is None:
            outer.name = str(json.loads(sign, strict=False))
            self._name(outer, outer.name, line)
        else:
            self._value(sign, outer.inner() if outer is not None else (), line)

    def _name(self, outer: _Open, name: str, line: int) -> None:
        place, first = outer.inner(), outer.names.get(name)

        if first is not None:
            self.faults.append((place, line, f"is there twice, first in line {first}"))
            return

        outer.names[name] = line
        self.lines.setdefault(place, line)

    def _value(self, sign: str, place: Place, line: int) -> None:
        self.lines.setdefault(place, line)

        if sign in "[{":
            self._inside.append(_Open(place, sign == "{"))
        elif not sign.startswith('"') and (text := _fault_in(sign)):
            self.faults.append((place, line, text))


def read(text: str) -> Lines:
    """Read a document that `json` takes; raise `ValueError` for some that it does not."""
    reader, line, end = _Reader(), 1, 0

    for found in SIGN.finditer(text):
        line += text.count("\n", end, found.start())
        end = found.start()
        reader.take(found[0], line)

    return Lines(reader.lines, tuple(reader.faults))


def _fault_in(word: str) -> str:
    try:
        strictjson.read(word.encode())
    except ValueError:
        is_number = word.lstrip("-")[:1].isdigit()
        return "is too large a number" if is_number else f"has no value: {word[:16]} is no JSON"

    return ""
