"""HMAC-SHA256 digests over bytes, compared in constant time."""

import hashlib
import hmac
from collections.abc import Sequence


def hmac_sha256_hex(message: bytes, key: str) -> bytes:
    """Return the lower-case hexadecimal HMAC-SHA256 of the message."""
    return hmac.new(key.encode(), message, hashlib.sha256).hexdigest().encode()


def is_signed(message: bytes, signature: bytes, keys: Sequence[str]) -> bool:
    """Say whether one of the keys made this hexadecimal signature."""
    # All keys are tried, so that the time does not tell which one matched. `compare_digest` takes
    # bytes here: with a `str` that is not ASCII it raises TypeError, a 500 for any caller to cause.
    matches = [hmac.compare_digest(hmac_sha256_hex(message, key), signature) for key in keys]
    return any(matches)
