"""What callers ask, and in which words they tell why an answer did not come."""

import dataclasses
import itertools
import json
import sys
from collections.abc import Iterator
from typing import Self

DONE = (b"200", b"201")
GONE = "no answer"


class Failure(Exception):
    """No complete answer with a status of success came."""


@dataclasses.dataclass(frozen=True)
class Request:
    """What is asked. `{number}` in path and body is the request's number.

    `each` requests in a row have the same number; after so many `numbers` they begin anew. A body
    is `body`, or so many `zeros`; `fields` are further lines of the head.
    """

    path: str
    method: str = "GET"
    key: str = ""
    body: str = ""
    each: int = 1
    numbers: int = sys.maxsize
    zeros: int = 0
    fields: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Read it as it stands on a command line."""
        return cls(text) if text.startswith("/") else cls(**json.loads(text))

    def __str__(self) -> str:
        return json.dumps(dataclasses.asdict(self))

    def contents(self) -> Iterator[bytes]:
        """Iterate over what each request is on the wire, but for `zeros`."""
        if "{number}" in self.path + self.body:
            return map(self.to_bytes, itertools.count())

        return itertools.repeat(self.to_bytes(0))

    def to_bytes(self, count: int, *lines: str) -> bytes:
        """Return what the `count`th request, from 0, is on the wire, but for `zeros`."""
        number = str(count // self.each % self.numbers)
        body = self.body.replace("{number}", number).encode()
        fields = ["Host: 127.0.0.1", "User-Agent: benchmark", "Accept: */*", *self.fields, *lines]

        if self.key:
            fields.append(f"X-API-Key: {self.key}")

        if length := len(body) + self.zeros:
            fields += ["Content-Type: application/json", f"Content-Length: {length}"]

        first = f"{self.method} {self.path.replace('{number}', number)} HTTP/1.1"
        return "\r\n".join([first, *fields, "", ""]).encode() + body


def reason_of(error: Exception) -> str:
    """Return a status, or what happened instead of an answer, in words to count by."""
    if isinstance(error, Failure):
        return str(error)

    return GONE if isinstance(error, EOFError) else type(error).__name__
