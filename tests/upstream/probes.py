"""Endpoints for tests, under `/_sandbox/` and behind the provider's own credentials.

`bytes` sends a body of any size, `echo` tells what arrived, `status` answers with any status,
`drip` sends a piece every so often.
"""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

from sandbox.answers import Answer, json_answer
from sandbox.application import Application
from sandbox.routing import Route

from .payload import BLOCK, blocks

BINARY = (b"content-type", b"application/octet-stream")
SIZE_MOST = 1 << 40


def routes(app: Application[Any], folder: str) -> Iterator[Route[Any]]:
    """Yield the probes' rows of an application's table; a bad parameter is the provider's 400."""

    def answering(probe: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
        def answer(call: Any) -> Answer:
            try:
                # Some applications hand the bare request to their handlers.
                return probe(getattr(call, "request", call))
            except ValueError:
                return app.error(400)

        return answer

    for path, probe in PROBES.items():
        yield Route("*", f"{folder}/_sandbox/{path}", answering(probe))


def _query(request: Any, name: str, default: str) -> str:
    query = parse_qs(request.head.target.partition("?")[2], keep_blank_values=True)
    return query.get(name, [default])[-1]


def _number(request: Any, name: str, default: str) -> int:
    number = int(_query(request, name, default))
    if not 0 <= number <= SIZE_MOST:
        raise ValueError(f"{name} must be a number up to {SIZE_MOST}")

    return number


def _bytes(request: Any) -> Answer:
    size = _number(request, "size", "")
    piece = max(1, _number(request, "piece", str(BLOCK)))
    body = blocks(size, _number(request, "seed", "0"), piece)
    return Answer(200, (BINARY,), body, None if _query(request, "chunked", "") == "1" else size)


def _echo(request: Any) -> Answer:
    digest, size = hashlib.sha256(), 0
    for piece in request.pieces():
        digest.update(piece)
        size += len(piece)

    head = request.head
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


def _status(request: Any) -> Answer:
    status = int(request.head.path.rpartition("/")[2])
    if not 200 <= status <= 999:
        raise ValueError("the status must be between 200 and 999")

    return json_answer(status, {"status": status})


def _drip(request: Any) -> Answer:
    seconds, count = float(_query(request, "seconds", "1")), _number(request, "pieces", "10")

    def pieces() -> Iterator[bytes]:
        for number in range(count):
            if number:
                request.wait(seconds)

            yield b"piece %04d\n" % number

    return Answer(200, (BINARY,), pieces(), None)


PROBES: dict[str, Callable[[Any], Answer]] = {
    "bytes": _bytes,
    "echo": _echo,
    "status/{status}": _status,
    "drip": _drip,
}
