"""HTTP Basic (RFC 7617): read, made, and compared so that the time tells nothing."""

import base64
import hmac
import re

#: `Basic`, in any case, and base64 with its padding (RFC 7235 section 2.1).
BASIC = re.compile(r"[Bb][Aa][Ss][Ii][Cc] +([A-Za-z0-9+/]+={0,2})")


def read(field: str) -> tuple[str, str] | None:
    """Return user and password of an `Authorization` field; None where it holds none.

    The password may have colons, the user has none.
    """
    found = BASIC.fullmatch(field)

    if found is None:
        return None

    try:
        text = base64.b64decode(found[1], validate=True).decode("utf-8")
    except ValueError:  # no base64, or no UTF-8 in it
        return None

    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def write(user: str, password: str) -> str:
    """Return the value of an `Authorization` field."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def is_pair(given: tuple[str, str], user: str, password: str) -> bool:
    """Say whether user and password are these; the user's case does not count.

    Both are compared whatever the first comparison says.
    """
    same_user = hmac.compare_digest(given[0].lower().encode(), user.lower().encode())
    same_password = hmac.compare_digest(given[1].encode(), password.encode())
    return same_user and same_password
