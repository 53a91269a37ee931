"""ImbaChat's user ids: whole numbers from 1.

Each number has one spelling. `007` does not name user 7, because the directory may have
another user with that id.
"""

import re
from collections.abc import Iterable

USER_ID = re.compile(r"[1-9][0-9]{0,15}")

#: The largest whole number that a browser reads exactly (RFC 8259 section 6).
LARGEST = 2**53 - 1

INVALID = f"A user id is a whole number from 1 to {LARGEST}, in ASCII digits."


def is_user_id(text: str) -> bool:
    """Return whether the text is an id that ImbaChat can have."""
    return USER_ID.fullmatch(text) is not None and int(text) <= LARGEST


def read_lists(lists: Iterable[str]) -> list[str]:
    """Return the ids in comma lists, without repetitions and in their order.

    Items that are not ids are left out. They are not cleaned up, as the vendor's sample
    does: `1a2` would become the id of another user.
    """
    items = (item.strip(" ") for one in lists for item in one.split(","))
    return list(dict.fromkeys(item for item in items if is_user_id(item)))
