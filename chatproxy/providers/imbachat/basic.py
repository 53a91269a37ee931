"""HTTP Basic authentication (RFC 7617), compared in constant time."""

import base64
import hmac
import re
from collections.abc import Sequence

#: `Basic` in any case, and base64 with its padding (RFC 7235 section 2.1).
BASIC = re.compile(r"[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/]+={0,2})")


def read(field: str) -> tuple[str, str] | None:
    """Return user and password from an `Authorization` header, or None."""
    found = BASIC.fullmatch(field)

    if found is None:
        return None

    try:
        text = base64.b64decode(found[1], validate=True).decode("utf-8")
    except ValueError:  # not base64, or not UTF-8
        return None

    # Only the password may have a colon (RFC 7617 section 2).
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def write(user: str, password: str) -> str:
    """Return the value of an `Authorization` header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def is_pair(given: tuple[str, str], user: str, passwords: Sequence[str]) -> bool:
    """Return whether user and password are this user and one of these passwords."""
    # The vendor's plugin lower-cases the login that it receives, so case cannot matter. All
    # comparisons always run: their time must not tell which one failed.
    same_user = hmac.compare_digest(given[0].lower().encode(), user.lower().encode())
    same = [hmac.compare_digest(given[1].encode(), one.encode()) for one in passwords]
    return same_user and any(same)
