"""Paths in every way that a server could read them.

Servers differ in when they decode a path and how often, and in whether they ignore case, doubled
and trailing slashes, path parameters, file endings and the compatibility forms of Unicode. A rule
that must not be evaded is compared with all readings; where one fits, the call is refused.
"""

import re
import unicodedata
from collections.abc import Iterator
from urllib.parse import unquote

from chatproxy.errors import BadTarget
from chatproxy.forwarding.escapes import MOST_ENCODINGS

#: The end of a word in a reading: some servers take off an ending such as `.json`.
END = r"(?:\.[^/]*)?(?=/|$)"

#: Segments that a path may have: each of them is compared.
MOST_SEGMENTS = 100
TOO_MANY_SEGMENTS = f"The path has more than {MOST_SEGMENTS} segments."

#: A path that every server reads in one way, but for case and doubled slashes. Most are such.
PLAIN = re.compile(r"[A-Za-z0-9/._-]*")
SLASH = re.compile("/")
#: What some servers turn into a slash, as the best fit in a narrower character set.
LIKE_A_SLASH = re.compile(r"[/\\\u2044\u2215\u2216\u2571\u29f5\u29f8\ufe68\uff0f\uff3c]")
ENDS_A_NAME = re.compile(r"[;?#]")
NOT_IN_A_WORD = re.compile(r"[^a-z0-9.-]+")
DOT_SEGMENTS = (".", "..")


def readings(path: str) -> Iterator[str]:
    """Yield a raw path in each way to read it: lower-case ASCII words with slashes between them.

    What is no such word, as an id may be, is `x`. Raises `BadTarget` for too many segments, and for
    a dot segment in a compatibility form of Unicode. In ASCII no route takes one
    (`forwarding.target`).
    """
    if PLAIN.fullmatch(path):
        if path.count("/") >= MOST_SEGMENTS:
            raise BadTarget(TOO_MANY_SEGMENTS)

        yield path.lower()
        return

    for text in _levels(path):
        # A parameter, or what is taken for a query, ends its segment, or the whole path.
        for read in {text, ENDS_A_NAME.split(text, maxsplit=1)[0]}:
            for separator in (SLASH, LIKE_A_SLASH):
                segments = separator.split(read, maxsplit=MOST_SEGMENTS)

                if len(segments) > MOST_SEGMENTS:
                    raise BadTarget(TOO_MANY_SEGMENTS)

                if any(unicodedata.normalize("NFKC", one) in DOT_SEGMENTS for one in segments):
                    raise BadTarget("The path must hold no dot segment.")

                yield "/".join(map(_word, segments))


def _levels(path: str) -> Iterator[str]:
    # A path that is encoded more often than this is not forwarded, so no server sees it.
    for _ in range(MOST_ENCODINGS + 1):
        yield path
        decoded = unquote(path, errors="replace")

        if decoded == path:
            return

        path = decoded


def _word(segment: str) -> str:
    *_, decoded = _levels(segment)
    name = ENDS_A_NAME.split(decoded, maxsplit=1)[0].strip()
    # `Ａdmin`, `ADMIN` and `ádmin` are `admin`.
    folded = NOT_IN_A_WORD.sub("", unicodedata.normalize("NFKD", name).casefold())
    return folded or "x" * bool(name)
