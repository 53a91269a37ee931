"""Percent-encoding, however many times over: a server on the way may undo it more than once."""

import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes

#: How many times over a text may be percent-encoded. Each round of decoding costs its length, so
#: without a bound a long path of `%252525…` would keep the worker busy.
MOST_ENCODINGS = 8

#: How the keys that are withheld begin; the same, escapes for its letters, and one for `%` itself.
KEYS_BEGIN = ("cpk_", "sk_")
MAY_BE_A_KEY = (*KEYS_BEGIN, "%63", "%70", "%6b", "%6B", "%5f", "%5F", "%73", "%25")


def levels(text: str) -> Iterator[bytes]:
    """Yield a text as it stands, and percent-decoded again and again until nothing changes."""
    level = text.encode("latin-1", "replace")
    yield level

    for _ in range(MOST_ENCODINGS):
        decoded = unquote_to_bytes(level)

        if decoded == level:
            return

        level = decoded
        yield level


def readings(text: str) -> Iterator[str]:
    """Yield the same as text."""
    return (level.decode("utf-8", "replace") for level in levels(text))


def decode_fully(text: str) -> bytes | None:
    """Decode until nothing changes; return None if that takes too many rounds."""
    found = list(levels(text))
    return found[-1] if len(found) <= MOST_ENCODINGS else None


def holds_key(text: str, keys: re.Pattern[str]) -> bool:
    """Say whether a text holds a key that is withheld, however often encoded."""
    # A filter in the query has kilobytes, and hundreds of escapes that take time to decode.
    if "%" not in text:
        return any([one in text for one in KEYS_BEGIN]) and keys.search(text) is not None

    if not any([one in text for one in MAY_BE_A_KEY]):
        return False

    return any(keys.search(one) is not None for one in readings(text))
