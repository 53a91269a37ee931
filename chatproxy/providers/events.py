"""An event that a provider's server has sent, taken out of whatever it came in."""

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from chatproxy.forwarding.body import CallerBody, PiecesInput
from chatproxy.turns import Turns

#: Bytes that are hashed before other requests get their turn.
TURN = 4 * 1024 * 1024

#: 128 bits of a digest: two events do not meet in practice.
KEY_BYTES = 16


class Content:
    """An event's bytes, never whole in memory: `pieces` makes them anew each time."""

    def __init__(self, pieces: Callable[[], Iterator[bytes]]) -> None:
        self._pieces = pieces
        found, turns, length = hashlib.sha256(), Turns(TURN), 0

        for piece in pieces():
            found.update(piece)
            length += len(piece)
            turns.count(len(piece))

        self.digest = found.digest()
        self.length = length

    def upload(self) -> CallerBody:
        """Return it as a body that goes out."""
        return CallerBody(PiecesInput(self._pieces), self.length)


@dataclasses.dataclass(frozen=True)
class Received:
    """An event, and what its sender says of it.

    `form` is how it came, such as `sns`. `id` is the same when it is sent again, and empty where
    the sender gave none. `fields` are those of its head that go on with it.
    """

    verdict: Literal["valid", "unsigned"]
    form: str
    id: str
    content: Content
    fields: Sequence[tuple[str, str]]

    def key_at(self, provider: str) -> bytes:
        """Return what it is known by: its id and its content together."""
        # The id alone is not signed: a replayed event under the id of one that is still to come
        # would keep that one out. An unsigned event must keep no signed one out either.
        name = hashlib.sha256(self.id.encode("utf-8", "surrogatepass")).digest()
        parts = (f"{provider}\n{self.verdict}\n".encode(), name, self.content.digest)
        return hashlib.sha256(b"".join(parts)).digest()[:KEY_BYTES]
