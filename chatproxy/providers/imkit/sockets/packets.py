"""What is said on the socket: packets of Socket.IO, revision 5, in those of Engine.IO, revision 4.

Source: the specifications, https://socket.io/docs/v4/socket-io-protocol/ and
https://socket.io/docs/v4/engine-io-protocol/. A packet is a digit and what belongs to it; the
packets of Socket.IO are Engine.IO's messages, which begin with a `4`.
"""

import dataclasses
import json
import re
from typing import Any

MAIN = "/"
PING = "2"
DISCONNECT = "41"

MESSAGE = re.compile(
    r"(?P<kind>[0-6])(?:[0-9]{1,9}-)?(?:(?P<namespace>/[^,]*)(?:,|\Z))?"
    r"(?P<id>[0-9]{1,16})?(?P<content>[\s\S]*)"
)


@dataclasses.dataclass(frozen=True)
class Pong:
    """The client is there."""


@dataclasses.dataclass(frozen=True)
class Connect:
    """The client wants to speak in a namespace. What it says of itself there is not asked for."""

    namespace: str


@dataclasses.dataclass(frozen=True)
class Event:
    """The client says something, and waits for an answer where it gives an `id`.

    In the place of binary data stands an object; the data itself come behind, and nobody
    here wants them.
    """

    namespace: str
    id: str | None
    name: str
    arguments: list[Any] = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class Leave:
    """The client leaves."""


@dataclasses.dataclass(frozen=True)
class Other:
    """A packet that needs no answer here."""


Packet = Pong | Connect | Event | Leave | Other


def read(text: str) -> Packet:
    """Return a client's packet; raise `ValueError` for what no client sends."""
    kind, content = text[:1], text[1:]

    if kind == "4":
        return _message(content)

    if kind == "3":
        return Pong()

    if kind == "1":
        return Leave()

    raise ValueError("not a packet that a client sends")


def _message(text: str) -> Packet:
    found = MESSAGE.fullmatch(text)

    if found is None:
        raise ValueError("not a packet of Socket.IO")

    kind = found["kind"]
    namespace = (found["namespace"] or MAIN).partition("?")[0]

    if kind == "0":
        return Connect(namespace)

    if kind == "1":
        return Leave() if namespace == MAIN else Other()

    if kind in "25":  # without and with binary data
        name, arguments = _said(found["content"])
        return Event(namespace, found["id"], name, arguments)

    if kind in "36":  # answers, to questions that nobody asks here
        return Other()

    raise ValueError("not a packet that a client sends")


def _said(content: str) -> tuple[str, list[Any]]:
    try:
        said = json.loads(content)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error

    if not isinstance(said, list) or not said or not isinstance(said[0], str):
        raise ValueError("not an event")

    return said[0], said[1:]


def opened(socket_id: str, ping_every: float, pong_within: float, longest: int) -> str:
    """Return Engine.IO's first packet. Times are in seconds here, in milliseconds there."""
    said = {
        "sid": socket_id,
        "upgrades": [],
        "pingInterval": int(ping_every * 1000),
        "pingTimeout": int(pong_within * 1000),
        "maxPayload": longest,
    }
    return f"0{json.dumps(said)}"


def connected(socket_id: str) -> str:
    """Return that the client is in the main namespace."""
    return f"40{json.dumps({'sid': socket_id})}"


def refused(namespace: str) -> str:
    """Return that there is no such namespace."""
    return f"44{namespace},{json.dumps({'message': 'Invalid namespace'})}"


def acknowledged(event_id: str, answer: Any) -> str:
    """Return the answer to an event of the main namespace."""
    return f"43{event_id}{json.dumps([answer])}"
