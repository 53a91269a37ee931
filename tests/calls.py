"""Calls with JSON in and out, over real sockets."""

import dataclasses
import json
from typing import Any
from urllib.parse import quote

from tests.wire import RawAnswer, ask, get

JSON = "Content-Type: application/json"


@dataclasses.dataclass
class Reply:
    """A status, its fields, and the JSON that came with it, None where it was no JSON."""

    raw: RawAnswer

    @property
    def status(self) -> int:
        return self.raw.status

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.raw.body)
        except ValueError:
            return None

    def header(self, name: str) -> str | None:
        return self.raw.header(name)


def call(port: int, method: str, path: str, *fields: str, body: Any = None) -> Reply:
    """Ask once. `body` is sent as JSON, bytes as they are."""
    if body is None:
        return Reply(ask(port, get(path, *fields, method=method)))

    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = (*fields, f"Content-Length: {len(content)}")

    if not any(field.lower().startswith("content-type:") for field in fields):
        fields = (JSON, *fields)

    return Reply(ask(port, get(path, *fields, method=method) + content))


def segment(text: str) -> str:
    """Write any text as one segment of a path."""
    return quote(text, safe="")
