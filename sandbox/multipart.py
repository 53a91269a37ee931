"""Multipart bodies read as a stream: files are hashed and never held.

Only what a boundary may straddle is kept back. Fields that are no file are small and kept.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

FIELD_LIMIT = 64 * 1024
PART_HEAD_LIMIT = 16 * 1024


class MultipartError(ValueError):
    """The body is not the multipart its header promises."""


@dataclass
class Part:
    """One part; `value` only where it has no file name."""

    name: str
    filename: str | None
    content_type: str
    size: int = 0
    value: bytes = b""
    digest: hashlib._Hash = field(default_factory=hashlib.sha256)

    def take(self, data: bytes) -> None:
        """Count a piece of the part. Raises MultipartError where a field grows too large."""
        self.size += len(data)
        self.digest.update(data)
        if self.filename is None:
            self.value += data
            if len(self.value) > FIELD_LIMIT:
                raise MultipartError(f"field {self.name} is too large")


def boundary_of(content_type: str) -> bytes:
    """Return the boundary parameter of a Content-Type. Raises MultipartError."""
    found = re.search(r'boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))', content_type, re.IGNORECASE)
    if not content_type.lower().startswith("multipart/form-data") or not found:
        raise MultipartError("Content-Type is not multipart/form-data with a boundary")

    return (found[1] or found[2]).encode("latin-1")


def read_parts(pieces: Iterable[bytes], boundary: bytes) -> list[Part]:
    """All parts of a body, complete with its closing boundary. Raises MultipartError."""
    source = _Source(pieces)
    delimiter = b"\r\n--" + boundary
    # The first boundary has no line break before it, so lend it one.
    source.lend(b"\r\n")
    for _ in source.until(delimiter):
        pass

    parts = []
    while source.take(2) == b"\r\n":
        part = _part(source.head())
        for data in source.until(delimiter):
            part.take(data)

        parts.append(part)

    for _ in source.rest():
        pass

    if source.last != b"--":
        raise MultipartError("no closing boundary")

    return parts


class _Source:
    """A buffer over the pieces that never holds more than one of them and a boundary."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._buffer = b""
        self.last = b""

    def lend(self, data: bytes) -> None:
        self._buffer = data + self._buffer

    def until(self, delimiter: bytes) -> Iterator[bytes]:
        """Return what stands before the delimiter, which is consumed."""
        while (at := self._buffer.find(delimiter)) < 0:
            safe = max(0, len(self._buffer) - len(delimiter) + 1)
            if safe:
                yield self._buffer[:safe]

            self._buffer = self._buffer[safe:]
            self._more()

        yield self._buffer[:at]
        self._buffer = self._buffer[at + len(delimiter) :]

    def take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()

        self.last, self._buffer = self._buffer[:count], self._buffer[count:]
        return self.last

    def head(self) -> str:
        while (at := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > PART_HEAD_LIMIT:
                raise MultipartError("a part's head is too large")

            self._more()

        text, self._buffer = self._buffer[:at], self._buffer[at + 4 :]
        return text.decode("utf-8", "replace")

    def rest(self) -> Iterator[bytes]:
        yield self._buffer
        self._buffer = b""
        yield from self._pieces

    def _more(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise MultipartError("the body ends within a part")

        self._buffer += piece


def _part(head: str) -> Part:
    headers = dict(re.findall(r"^([^:\r\n]+):[ \t]*(.*?)\r?$", head, re.MULTILINE))
    lower = {name.lower(): value for name, value in headers.items()}
    disposition = lower.get("content-disposition", "")
    name = re.search(r'[; ]name="([^"]*)"', disposition)
    if not name:
        raise MultipartError("a part without a name")

    filename = re.search(r'filename="([^"]*)"', disposition)
    return Part(
        name=name[1],
        filename=filename[1] if filename else None,
        content_type=lower.get("content-type", "application/octet-stream"),
    )
