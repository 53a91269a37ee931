"""Packets of Socket.IO, revision 5, inside those of Engine.IO, revision 4.

Source: the specifications, https://socket.io/docs/v4/socket-io-protocol/ and
https://socket.io/docs/v4/engine-io-protocol/. A packet is a digit for its type and its
content. Packets of Socket.IO are the content of Engine.IO's messages, of type `4`.
"""

import dataclasses
import enum
import json
import re
from typing import Any

from chatproxy.formats import strictjson

MAIN = "/"
PING = "2"
DISCONNECT = "41"

MESSAGE = re.compile(
    r"(?P<kind>[0-6])(?:[0-9]{1,9}-)?(?:(?P<namespace>/[^,]*)(?:,|\Z))?"
    r"(?P<id>[0-9]{1,16})?(?P<content>[\s\S]*)"
)


class Signal(enum.Enum):
    """A packet without content of interest."""

    PONG = enum.auto()
    DISCONNECT = enum.auto()
    IGNORED = enum.auto()


@dataclasses.dataclass(frozen=True)
class Connect:
    """A client joins a namespace. The credentials that it may send here are ignored."""

    namespace: str


@dataclasses.dataclass(frozen=True)
class Event:
    """An event with its arguments. A client that gives an `id` waits for an answer.

    Binary arguments are placeholder objects. Their data follow in frames that are dropped.
    """

    namespace: str
    id: str | None
    name: str
    arguments: list[Any] = dataclasses.field(repr=False)


Packet = Connect | Event | Signal


def read(text: str) -> Packet:
    """Parse a packet from a client; raise `ValueError` if no client may send it."""
    kind, content = text[:1], text[1:]

    if kind == "4":
        return _message(content)

    if kind == "3":
        return Signal.PONG

    if kind == "1":
        return Signal.DISCONNECT

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
        return Signal.DISCONNECT if namespace == MAIN else Signal.IGNORED

    if kind in "25":  # EVENT and BINARY_EVENT
        name, arguments = _event_content(found["content"])
        return Event(namespace, found["id"], name, arguments)

    if kind in "36":  # acknowledgements, of events that are never sent from here
        return Signal.IGNORED

    raise ValueError("not a packet that a client sends")


def _event_content(content: str) -> tuple[str, list[Any]]:
    event = strictjson.read(content.encode())

    if not isinstance(event, list) or not event or not isinstance(event[0], str):
        raise ValueError("not an event")

    return event[0], event[1:]


def open_packet(socket_id: str, ping_every: float, pong_within: float, longest: int) -> str:
    """Return Engine.IO's first packet; both times are in seconds."""
    options = {
        "sid": socket_id,
        "upgrades": [],
        "pingInterval": int(ping_every * 1000),
        "pingTimeout": int(pong_within * 1000),
        "maxPayload": longest,
    }
    return f"0{json.dumps(options)}"


def connect_packet(socket_id: str) -> str:
    """Return the packet that lets a client into the main namespace."""
    return f"40{json.dumps({'sid': socket_id})}"


def connect_error_packet(namespace: str) -> str:
    """Return the packet that refuses a namespace."""
    return f"44{namespace},{json.dumps({'message': 'Invalid namespace'})}"


def ack_packet(event_id: str, answer: Any) -> str:
    """Return the answer to an event in the main namespace."""
    return f"43{event_id}{json.dumps([answer])}"
