"""Paths as the most lenient of servers might read them."""

import re
from urllib.parse import unquote

#: As often as a path may be encoded over to be forwarded at all; see `forwarding.target`.
MOST_ENCODINGS = 8


def folded_segments(path: str) -> list[str]:
    """Return the segments of a path without what a server might overlook.

    That is: case, doubled and trailing slashes, path parameters, encoding.
    """
    for _ in range(MOST_ENCODINGS):
        path = unquote(path, errors="replace")

    segments = (re.split(r"[;?#]", one, maxsplit=1)[0].strip() for one in path.split("/"))
    return [one.casefold() for one in segments if one]
