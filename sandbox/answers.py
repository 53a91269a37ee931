"""What a stand-in answers, before anything is done to it on purpose."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .wire import Head, Headers

BODILESS = (204, 304)
JSON = (b"content-type", b"application/json;charset=utf-8")


@dataclass(frozen=True)
class Answer:
    """A final answer.

    `size` None means chunked. `interval` is the pause in seconds between two pieces of the body.
    `early` answers are sent while the upload still comes in, and the connection ends after them.
    """

    status: int
    headers: Headers = ()
    body: Iterable[bytes] = ()
    size: int | None = 0
    interval: float = 0.0
    early: bool = False

    def with_headers(self, *headers: tuple[bytes, bytes]) -> Answer:
        """Return the same answer with more header lines at the end."""
        return replace(self, headers=self.headers + headers)

    def at_once(self) -> Answer:
        """Return the same answer, sent without waiting for the end of the upload."""
        return replace(self.with_headers((b"connection", b"close")), early=True)


class Request(Protocol):
    """What an application may ask about a request: its head and, once, its body."""

    @property
    def head(self) -> Head:
        """The head, targets and header values not decoded."""

    def pieces(self) -> Iterator[bytes]:
        """Return the body as it comes."""


class Application(Protocol):
    """A provider's stand-in: turns requests into answers, raises nothing."""

    def respond(self, request: Request) -> Answer:
        """Do what is asked."""

    def failure(self, kind: str) -> Answer:
        """Return an answer in the provider's own shape for `kind`, a status or a name it knows."""


def bytes_answer(status: int, body: bytes, headers: Headers = ()) -> Answer:
    """Return an answer whose body is at hand."""
    return Answer(status, headers, (body,), len(body))


def json_answer(status: int, document: Any, headers: Headers = ()) -> Answer:
    """Return a JSON answer; statuses that carry no body get none."""
    if status in BODILESS:
        return Answer(status, headers)

    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # JSON may hold half of a surrogate pair, UTF-8 may not.
    body = text.encode("utf-8", "replace")
    return bytes_answer(status, body, (JSON, *headers))
