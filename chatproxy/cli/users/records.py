"""What an import reads: the lines of a file, and the records that they make."""

import codecs
import dataclasses
from collections.abc import Iterator
from typing import Any, BinaryIO, Literal, Protocol

from chatproxy.cli.exits import Failure

Format = Literal["csv", "jsonl"]

#: A user's fields, by their names in both formats.
FIELDS = ("userId", "name", "image", "email", "custom")

#: Bytes of the longest line that is read. What is longer is no user, or another kind of file.
LONGEST_LINE = 1024 * 1024
TOO_LONG = f"longer than {LONGEST_LINE} bytes"

#: Files that begin so are text in another encoding (Unicode Standard, section 23.8).
OTHER_ENCODINGS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


@dataclasses.dataclass(frozen=True)
class Record:
    """One record of a file: where it begins, as it stands there, and what it says.

    `fault` says why it cannot be read, and is empty if it can.
    """

    line: int
    raw: bytes
    document: Any = None
    fault: str = ""


class Reader(Protocol):
    """Reads one format. `head` is what a file of rejected records begins with."""

    head: bytes

    def records(self) -> Iterator[Record]:
        """Yield the records; raise `Failure` where the file is not of this format."""
        ...


def lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file, each with its end, the first without a byte order mark.

    Of one that is too long only the beginning is yielded, without an end.
    """
    line = file.readline(LONGEST_LINE + 1)

    for mark, name in OTHER_ENCODINGS.items():
        if line.startswith(mark):
            raise Failure(f"line 1: the file is {name}, not UTF-8: save it as UTF-8")

    line = line.removeprefix(codecs.BOM_UTF8)

    while line:
        yield line

        if is_too_long(line):
            while (rest := file.readline(LONGEST_LINE)) and not rest.endswith(b"\n"):
                pass

        line = file.readline(LONGEST_LINE + 1)


def is_too_long(line: bytes) -> bool:
    """Say whether a line is only the beginning of one."""
    return len(line) > LONGEST_LINE and not line.endswith(b"\n")


def no_utf_8(byte: int) -> str:
    """Say that a record has a byte that is no UTF-8."""
    return f"byte 0x{byte:02X} is no UTF-8: save the file as UTF-8"
