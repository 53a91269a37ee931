"""Users as CSV (RFC 4180): a header, then a user on each row; `custom` is a JSON object.

Values are written as they are: one that a spreadsheet takes for a formula (`=…`) stays so, or what
is read back would be another value.
"""

import csv
import io
import json
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from chatproxy.cli.exits import Failure
from chatproxy.cli.users.records import FIELDS, TOO_LONG, Record, is_too_long, lines, no_utf_8
from chatproxy.formats import strictjson
from chatproxy.identity.records import User

#: Where `surrogateescape` puts the bytes that are no UTF-8 (PEP 383).
ESCAPED = range(0xDC80, 0xDD00)


class CSVRecords:
    """Reads CSV in UTF-8, with commas and a header that names the columns."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._raw: list[bytes] = []
        self._number = 0
        self._fault = ""
        self.head = b""
        #: Columns that are no fields of a user.
        self.ignored: Sequence[str] = ()

    def records(self) -> Iterator[Record]:
        """Yield the rows; raise `Failure` where the header cannot be used."""
        rows = csv.reader(self._lines(), strict=True)
        columns: list[str] | None = None

        while True:
            self._raw, self._fault, begins = [], "", self._number + 1

            try:
                fields = next(rows)
                fault = self._fault or _no_text(fields)
            except StopIteration:
                break
            except csv.Error as error:
                fields, fault = [], f"no CSV ({error})"

            if not fields and not fault:
                continue

            raw = b"".join(self._raw)

            if columns is None:
                columns = self._header(fields, begins, fault)
                self.head = raw
            else:
                yield _record(begins, raw, columns, fields, fault)

        if columns is None:
            raise Failure("line 1: the file is empty: CSV needs a header with the column userId")

    def _lines(self) -> Iterator[str]:
        for line in lines(self._file):
            self._number += 1
            self._raw.append(line)

            if is_too_long(line):
                self._fault = TOO_LONG
                yield "\n"
            else:
                yield line.decode("utf-8", "surrogateescape")

    def _header(self, fields: Sequence[str], line: int, fault: str) -> list[str]:
        columns = [one.strip() for one in fields]
        place = f"line {line}: "

        if fault:
            raise Failure(place + fault)

        if "userId" not in columns:
            separator = " Columns are separated by commas." if len(columns) == 1 else ""
            raise Failure(
                f"{place}there is no column userId. The columns of a user are "
                f"{', '.join(FIELDS)}.{separator}"
            )

        if twice := [one for one in FIELDS if columns.count(one) > 1]:
            raise Failure(f"{place}the column {twice[0]} is there twice")

        self.ignored = [one for one in columns if one not in FIELDS]
        return columns


def _no_text(fields: Sequence[str]) -> str:
    for field in fields:
        for character in field if not field.isascii() else ():
            if ord(character) in ESCAPED:
                return no_utf_8(ord(character) - 0xDC00)

    return ""


def _record(
    line: int, raw: bytes, columns: Sequence[str], fields: Sequence[str], fault: str
) -> Record:
    if not fault and len(fields) != len(columns):
        fault = f"it has {len(fields)} fields, and the header has {len(columns)}"

    if fault:
        return Record(line, raw, fault=fault)

    document: dict[str, Any] = {
        name: value for name, value in zip(columns, fields, strict=True) if name in FIELDS
    }

    if custom := document.pop("custom", ""):
        try:
            document["custom"] = strictjson.read(custom.encode())
        except ValueError as error:
            return Record(line, raw, fault=f"custom: no plain JSON ({error})")

    return Record(line, raw, document)


def header() -> bytes:
    """Return the header."""
    return _row(FIELDS)


def row_of(user: User) -> bytes:
    """Return a user as a row."""
    custom = json.dumps(user.custom, ensure_ascii=False) if user.custom else None
    return _row((user.external_id, user.name, user.image, user.email, custom))


def _row(fields: Sequence[str | None]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(fields)
    return text.getvalue().encode()
