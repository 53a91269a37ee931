"""IMKit's client ids: texts that can be a header (RFC 9110 section 5.5) and a segment of a path."""

LONGEST = 255
BAD_CLIENT_ID = f"A client id is 1 to {LONGEST} printable characters, without spaces around it."


def is_client_id(text: str) -> bool:
    """Return whether IMKit can have a client with this id."""
    is_plain = text.isprintable() and text == text.strip() and text not in (".", "..")
    return is_plain and 0 < len(text) <= LONGEST
