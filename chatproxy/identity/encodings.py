"""What the encoding of a PostgreSQL database means for the texts in it.

We speak UTF-8 to every server, and it converts where its database has another encoding.
"""

import functools
import re

#: The encoding that has every character, and the one of a database that was told nothing: it
#: stores the bytes that it is sent.
BEST = "UTF8"
UNTOLD = "SQL_ASCII"

MEND = "run `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0` and move the data there"


def advice(encoding: str) -> str:
    """Return what an operator should know; empty where all is well."""
    if encoding == BEST:
        return ""

    means = (
        "a text's length is counted in bytes"
        if encoding == UNTOLD
        else "a text with a character that it lacks is refused"
    )
    return f"the database's encoding is {encoding}: {means}; {MEND}"


@functools.lru_cache(maxsize=4096)
def can_hold(encoding: str, character: str) -> bool:
    """Say whether an encoding has a character; False where Python does not know the encoding."""
    if encoding in (BEST, UNTOLD):
        return True

    try:
        character.encode(_codec(encoding))
    except (LookupError, UnicodeEncodeError):
        return False

    return True


def _codec(encoding: str) -> str:
    return re.sub(r"^WIN(?=\d)", "cp", re.sub(r"^KOI8", "koi8_", encoding))
