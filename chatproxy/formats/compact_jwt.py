"""The form of a compact JWT, and the length of its key."""

import re

#: Bytes that an HMAC-SHA256 key should have at least: as many as the hash (RFC 7518 section 3.2).
SHORTEST_SAFE_KEY = 32

#: Characters that a token may have. Longer ones do not fit into a header field of gunicorn's.
LONGEST_TOKEN = 8 * 1024

COMPACT_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def is_compact_jwt(text: str) -> bool:
    """Check for three base64url parts without padding (RFC 7515 section 7.1)."""
    return COMPACT_JWT.fullmatch(text) is not None
