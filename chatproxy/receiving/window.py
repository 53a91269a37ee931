"""What was received already, within bounds: who may deliver an event, and what became of it.

An event is known by a key of 16 bytes. Whoever claims it first delivers it; the others are told of
that delivery, by its token, and wait. A holder that dies, or takes longer than its lease, loses it.
"""

import dataclasses
import secrets
from typing import Protocol

#: Bytes of a key and of a token.
KEY = 16

#: The token of no delivery.
NOBODY = bytes(KEY)


@dataclasses.dataclass(frozen=True)
class Bounds:
    """How many events are remembered, and seconds: for how long, and how long one may be held."""

    most: int
    seconds: float
    lease: float


@dataclasses.dataclass(frozen=True)
class Mine:
    """Nobody has delivered it, nor does: deliver it, and say under this token what came of it."""

    token: bytes


@dataclasses.dataclass(frozen=True)
class Theirs:
    """It is being delivered."""

    token: bytes


@dataclasses.dataclass(frozen=True)
class Delivered:
    """It was taken, with this status."""

    status: int


@dataclasses.dataclass(frozen=True)
class Failed:
    """The delivery that was waited for has failed, with this status."""

    status: int


Found = Mine | Theirs | Delivered | Failed


class Window(Protocol):
    """Remembers events."""

    def claim(self, key: bytes, awaited: bytes) -> Found:
        """Say what is known of an event. Nobody gets the same answer `Mine` at the same time.

        `awaited` is the token of the delivery that the caller waits for, or `NOBODY`.
        """
        ...

    def end(self, key: bytes, token: bytes, status: int, *, taken: bool) -> bool:
        """Say what came of a delivery; False if it was not this one's any more."""
        ...


def new_token() -> bytes:
    """Return a token that nobody else has."""
    return secrets.token_bytes(KEY)
