"""ImbaChat's user ids: whole numbers from 1.

A number has one way to be written here. Others, `007` for one, are no second name of a
user: the directory may know somebody else by that text.
"""

import re
from collections.abc import Iterable

USER_ID = re.compile(r"[1-9][0-9]{0,15}")

#: The largest number that a browser reads as it is written (RFC 8259 section 6).
LARGEST = 2**53 - 1

WHAT_IT_IS = f"A user id is a whole number from 1 to {LARGEST}, in ASCII digits."


def is_user_id(text: str) -> bool:
    """Say whether ImbaChat could know a user by this text."""
    return USER_ID.fullmatch(text) is not None and int(text) <= LARGEST


def read_lists(lists: Iterable[str]) -> list[str]:
    """Return the ids in comma lists, each once, in their order; what is no id is left out.

    Nothing is taken out of an item but the spaces around it: what were left of `1a2` is
    the id of another user.
    """
    items = (item.strip(" ") for one in lists for item in one.split(","))
    return list(dict.fromkeys(item for item in items if is_user_id(item)))
