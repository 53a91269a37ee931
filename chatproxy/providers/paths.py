"""Paths as the most lenient server might read them."""

import re
from urllib.parse import unquote

from chatproxy.forwarding.target import MOST_ENCODINGS


def folded_segments(path: str) -> list[str]:
    """Return the segments of a path, reduced to what every server agrees on.

    Servers differ in whether they ignore case, doubled and trailing slashes, path
    parameters and percent-encoding. A rule that must not be evaded compares this form.
    """
    # A path that is encoded more often than this is not forwarded, so no server sees it.
    for _ in range(MOST_ENCODINGS):
        path = unquote(path, errors="replace")

    segments = (re.split(r"[;?#]", one, maxsplit=1)[0].strip() for one in path.split("/"))
    return [one.casefold() for one in segments if one]
