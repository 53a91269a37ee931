"""What an application is asked and what it gives back, refusals included."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Protocol, Self

from .wire import Head, Headers

BODILESS = (204, 304)
JSON = (b"content-type", b"application/json;charset=utf-8")


class Request(Protocol):
    """What an application may ask about a request: its head and, once, its body."""

    @property
    def head(self) -> Head:
        """The head, targets and header values not decoded."""

    def pieces(self) -> Iterator[bytes]:
        """Return the body as it comes."""


@dataclass(frozen=True)
class Answer:
    """A final answer; `size` None means chunked.

    `early` answers are sent while the upload still comes in, and the connection ends after them.
    """

    status: int
    headers: Headers = ()
    body: Iterable[bytes] = ()
    size: int | None = 0
    early: bool = False

    def with_headers(self, *headers: tuple[bytes, bytes]) -> Self:
        """Return the same answer with more header lines at the end."""
        return replace(self, headers=self.headers + headers)

    def at_once(self) -> Self:
        """Return the same answer, sent without waiting for the end of the upload."""
        return replace(self.with_headers((b"connection", b"close")), early=True)


class Refusal(Exception):
    """The one way in which a stand-in says no: a status and the provider's own error document."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(status, document)
        self.status = status
        self.document = document

    def answer(self) -> Answer:
        """Return it as an answer."""
        return json_answer(self.status, self.document)


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


def phrase(status: int, otherwise: str) -> str:
    """Return the reason phrase of a status, or something else where it has none."""
    return HTTPStatus(status).phrase if status in frozenset(HTTPStatus) else otherwise
