"""Endpoints for tests, under `/_sandbox/` and behind the provider's own authentication.

`bytes` sends a body of any size, `echo` tells what arrived, `status` answers with any status,
`drip` sends a piece every so often.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from .answers import Answer, Request, json_answer
from .payload import BLOCK, blocks

PREFIX = "/_sandbox/"
BINARY = (b"content-type", b"application/octet-stream")
SIZE_MOST = 1 << 40


class ProbeError(ValueError):
    """A probe's parameter is missing or out of range."""


@dataclass(frozen=True)
class Probe:
    """A request to a probe: the last path segment and the decoded query."""

    request: Request
    tail: str
    query: Mapping[str, str]

    def number(self, name: str, default: int | None = None, most: int = SIZE_MOST) -> int:
        """Return a whole number from the query. Raises ProbeError."""
        text = self.query.get(name, "" if default is None else str(default))
        if not text.isascii() or not text.isdigit() or int(text) > most:
            raise ProbeError(f"{name} must be a number up to {most}")

        return int(text)


def respond(request: Request, path: str) -> Answer | None:
    """Run the probe that the path names; None where it names none. Raises ProbeError."""
    if not path.startswith(PREFIX):
        return None

    name, _, tail = path[len(PREFIX) :].partition("/")
    if name not in PROBES:
        return None

    query = parse_qsl(request.head.target.partition("?")[2], keep_blank_values=True)
    return PROBES[name](Probe(request, tail, dict(query)))


def _bytes(probe: Probe) -> Answer:
    size = probe.number("size")
    piece = max(1, probe.number("piece", BLOCK))
    body = blocks(size, probe.number("seed", 0), piece)
    chunked = probe.query.get("chunked") == "1"
    return Answer(200, (BINARY,), body, None if chunked else size)


def _echo(probe: Probe) -> Answer:
    digest, size = hashlib.sha256(), 0
    for piece in probe.request.pieces():
        digest.update(piece)
        size += len(piece)

    head = probe.request.head
    return json_answer(
        200,
        {
            "size": size,
            "sha256": digest.hexdigest(),
            "framing": head.framing,
            "method": head.method,
            "target": head.target,
            "headers": [[n.decode("latin-1"), v.decode("latin-1")] for n, v in head.headers],
        },
    )


def _status(probe: Probe) -> Answer:
    if not probe.tail.isdigit() or not 200 <= int(probe.tail) <= 999:
        raise ProbeError("the status must be between 200 and 999")

    return json_answer(int(probe.tail), {"status": int(probe.tail)})


def _drip(probe: Probe) -> Answer:
    try:
        interval = float(probe.query.get("seconds", "1"))
    except ValueError as error:
        raise ProbeError("seconds must be a number") from error

    pieces = (b"piece %04d\n" % n for n in range(probe.number("pieces", 10)))
    return Answer(200, (BINARY,), pieces, None, interval)


PROBES: dict[str, Callable[[Probe], Answer]] = {
    "bytes": _bytes,
    "echo": _echo,
    "status": _status,
    "drip": _drip,
}
