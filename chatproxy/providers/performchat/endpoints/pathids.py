"""Ids in a path."""


def plain_id(text: str) -> str:
    """Return an id as a directory can be asked for it: one that holds NUL names nothing."""
    return "" if "\0" in text else text
