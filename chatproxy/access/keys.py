"""The keys of callers: random texts of which the document holds SHA-256 digests."""

import hashlib
import re
import secrets

#: The field in which callers show their key.
HEADER = "X-Chatproxy-Key"

PREFIX = "cpk_"
RANDOM_BYTES = 32

DIGEST = re.compile(r"sha256:([0-9A-Fa-f]{64})")

#: A key, also within any text. What is no such text is nobody's key: it would be hidden in no log.
ANY_KEY = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{4,}}")

#: Characters that are looked at. A longer text is a key of nobody.
LONGEST = 1024


def new_key() -> str:
    """Make up a key."""
    return PREFIX + secrets.token_urlsafe(RANDOM_BYTES)


def digest_of(key: str) -> bytes:
    """Return the digest of a key."""
    # One round is enough: a key is random, so there is no list of likely ones to try.
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def written(digest: bytes) -> str:
    """Return a digest as the document has it."""
    return f"sha256:{digest.hex()}"
