"""Users as JSON lines: an object on each line."""

import json
from collections.abc import Iterator
from typing import BinaryIO

from chatproxy.cli.users.records import TOO_LONG, Record, is_too_long, lines, no_utf_8
from chatproxy.formats import strictjson
from chatproxy.identity.records import User


class JSONLines:
    """Reads JSON lines."""

    head = b""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def records(self) -> Iterator[Record]:
        """Yield the objects."""
        for number, line in enumerate(lines(self._file), start=1):
            if line.strip():
                yield _record(number, line)


def _record(number: int, line: bytes) -> Record:
    if is_too_long(line):
        return Record(number, line, fault=TOO_LONG)

    try:
        return Record(number, line, strictjson.read(line))
    except UnicodeDecodeError as error:
        return Record(number, line, fault=no_utf_8(line[error.start]))
    except ValueError as error:
        return Record(number, line, fault=f"no plain JSON ({error})")


def line_of(user: User) -> bytes:
    """Return a user as a line."""
    fields = {"name": user.name, "image": user.image, "email": user.email}
    given = {name: value for name, value in fields.items() if value is not None}
    custom = {"custom": user.custom} if user.custom else {}
    document = {"userId": user.external_id, **given, **custom}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
