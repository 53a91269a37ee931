"""Raw requests, all that is said to them until the connection closes, and the witness's word."""

import contextlib
import json
import re
import socket
from collections.abc import Iterable
from typing import Any

import pytest

from tests.canaries import API_KEY, SERVER_TOKEN
from tests.sidecar import Sidecar
from tests.upstream import Received, StreamUpstream
from tests.wire import RawAnswer, answer_on, ask, connected, get

STATUS_LINE = re.compile(rb"HTTP/1\.[01] \d{3} ")
ENVELOPE = {"code", "message", "StatusCode", "duration", "more_info", "details"}
CREDENTIALS = f"api_key={API_KEY}"


def rows(table: dict[str, Any]) -> list[Any]:
    """Make the rows of a parametrised test; the keys are their ids.

    A tuple holds the values of a row that has several.
    """
    return [
        pytest.param(*(row if isinstance(row, tuple) else (row,)), id=name)
        for name, row in table.items()
    ]


def said_until_closed(
    port: int, request: bytes, *, half_close: bool = False, within: float = 3
) -> bytes:
    """Return every byte that came back. Fails where the connection stays open."""
    heard = bytearray()

    with connected(port, within) as sock:
        with contextlib.suppress(ConnectionError):  # refused before all of it was sent
            sock.sendall(request)

            if half_close:
                sock.shutdown(socket.SHUT_WR)

        with contextlib.suppress(ConnectionError):  # a reset is an end as well
            try:
                while piece := sock.recv(65536):
                    heard += piece
            except TimeoutError:
                pytest.fail(f"the connection was left open after {bytes(heard[:200])!r}")

    return bytes(heard)


def the_answer_in(said: bytes) -> RawAnswer:
    """Read the one answer in what was said."""
    assert len(STATUS_LINE.findall(said)) == 1, said[:400]
    return answer_on(_Recorded(said))  # type: ignore[arg-type]


def refused(
    sidecar: Sidecar, request: bytes, statuses: Iterable[int], *, half_close: bool = False
) -> RawAnswer:
    """Send what cannot be served; check that it got one answer, and the connection its end."""
    answer = the_answer_in(said_until_closed(sidecar.port, request, half_close=half_close))
    assert answer.status in set(statuses), (answer.status, answer.body)
    assert answer.complete
    return answer


def check_nothing_arrived(sidecar: Sidecar, upstream: StreamUpstream) -> None:
    """A fresh request is served, and it is the only one that the upstream ever saw."""
    assert ask(sidecar.port, get("/proxy/app?fresh=1")).status == 200
    assert [entry.target for entry in upstream.journal] == [f"/app?{CREDENTIALS}&fresh=1"]


def check_nothing_whole_arrived(sidecar: Sidecar, upstream: StreamUpstream) -> None:
    """What arrived of the request was given up unfinished, and a fresh one is served."""
    entry = upstream.journal.wait_for(lambda entry: entry.ended.is_set())
    assert not entry.complete
    assert entry.status is None
    assert ask(sidecar.port, get("/proxy/app?fresh=1")).status == 200
    assert [entry.complete for entry in upstream.journal] == [False, True]


def only_arrival(upstream: StreamUpstream) -> Received:
    """Return the one request that arrived, which carries our credentials once each."""
    (entry,) = upstream.journal
    assert entry.malformed is None
    assert entry.values("authorization") == [SERVER_TOKEN]
    assert entry.values("stream-auth-type") == ["jwt"]
    assert keys_in(entry.target) == [API_KEY]
    return entry


def keys_in(target: str) -> list[str]:
    """Return what any lenient server could take for the value of `api_key`."""
    pairs = [pair.partition("=") for pair in re.split("[&;]", target.partition("?")[2])]
    return [value for name, _, value in pairs if "apikey" in re.sub("[^a-z]", "", _plain(name))]


def envelope(answer: RawAnswer) -> dict[str, Any]:
    """Return the body of an error made under `/proxy`, in the provider's six fields."""
    body = json.loads(answer.body)
    assert set(body) == ENVELOPE
    assert body["StatusCode"] == answer.status
    assert answer.header("content-type") == "application/json"
    return dict(body)


def error_message(answer: RawAnswer) -> str:
    """Return the text of an error made by one of the sidecar's own endpoints."""
    body = json.loads(answer.body)
    assert set(body) == {"errorMsg"}
    return str(body["errorMsg"])


def _plain(name: str) -> str:
    for _ in range(9):
        name = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), name)

    return name.lower()


class _Recorded:
    """A socket whose other end has said all it will."""

    def __init__(self, said: bytes) -> None:
        self._said = said

    def recv(self, _size: int) -> bytes:
        said, self._said = self._said, b""
        return said
