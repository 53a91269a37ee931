"""HMAC-SHA256 digests over bytes, compared in constant time."""

import hashlib
import hmac
from collections.abc import Iterable, Sequence

from chatproxy.turns import Turns

#: Bytes to be hashed before other requests get their turn.
TURN = 4 * 1024 * 1024


def is_signed(message: Iterable[bytes], signature: bytes, keys: Sequence[str]) -> bool:
    """Say whether one of the keys made this hexadecimal signature of a message in pieces."""
    digests = [hmac.new(key.encode(), digestmod=hashlib.sha256) for key in keys]
    turns = Turns(TURN)

    for piece in message:
        for digest in digests:
            digest.update(piece)

        turns.count(len(piece) * len(digests))

    # All keys are tried, so that the time does not tell which one matched. `compare_digest` takes
    # bytes here: with a `str` that is not ASCII it raises TypeError, a 500 for any caller to cause.
    matches = [hmac.compare_digest(one.hexdigest().encode(), signature) for one in digests]
    return any(matches)


def signature_of(message: Iterable[bytes], key: str) -> str:
    """Return the hexadecimal signature that a key makes of a message in pieces."""
    digest = hmac.new(key.encode(), digestmod=hashlib.sha256)

    for piece in message:
        digest.update(piece)

    return digest.hexdigest()
