"""Texts that every database of ours can store."""


def is_storable(text: str) -> bool:
    """Say whether a text has neither NUL nor half of a surrogate pair."""
    # JSON can write both (`\u0000`, `\ud800`). PostgreSQL refuses NUL in a text, and half of a pair
    # has no UTF-8 form (RFC 3629 section 3).
    try:
        text.encode()
    except UnicodeEncodeError:
        return False

    return "\0" not in text
