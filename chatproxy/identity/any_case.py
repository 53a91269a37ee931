"""Texts compared in any case: the same on every database, whatever its locale and encoding.

What a database knows of case depends on how it was made: with the locale C, or on SQLite, it knows
ASCII's letters only; with a Turkish one `I` is no `i`. So a database is asked for ASCII's only, in
a way that no locale changes, and of all others Unicode says here which are one letter
(https://www.unicode.org/versions/latest/core-spec/chapter-3/#G34944, caseless matching).
"""

import functools
import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, String, collate, func

#: Where letters with cases end in Unicode, and some more.
LETTERS_END = 0x20000

#: Characters that are replaced in what is searched; the text of a caller may have any number.
#: SQLAlchemy takes a hundred nested calls at most. No alphabet has more letters than this.
MOST_REPLACED = 40


def pattern(text: str) -> str:
    """Return a regular expression of Python's that finds the text in any case."""
    return "".join(
        f"[{one.lower()}{one.upper()}]"
        if one.isascii() and one.isalpha()
        else f"[{_cases()[one]}]"
        if one in _cases()
        else re.escape(one)
        for one in text
    )


def folded(
    column: ColumnElement[Any], text: str, can_hold: Callable[[str], bool]
) -> tuple[ColumnElement[str], str]:
    """Return the column and the text so that in PostgreSQL they differ in more than case only.

    `can_hold` says whether the database's encoding has a character: of one that it has not it
    would refuse to speak at all.
    """
    column = func.lower(collate(column, "C"), type_=String())
    text = "".join(one.lower() if one.isascii() else one for one in text)
    left = MOST_REPLACED

    for group in dict.fromkeys(_cases()[one] for one in text if one in _cases()):
        # ASCII's first, which the database has made small: the Kelvin sign is a `k`.
        known = sorted(filter(can_hold, group), key=str.isascii, reverse=True)

        for one in known[1 : 1 + left]:
            # Not `translate`, which in SQL_ASCII would take bytes for characters.
            column = func.replace(column, one, known[0], type_=String())
            text = text.replace(one, known[0])
            left -= 1

    return column, text


@functools.cache
def _cases() -> dict[str, str]:
    """Return for each letter beyond ASCII that has other cases all of them."""
    letters: dict[str, str] = {}

    for one in map(chr, range(0x80, LETTERS_END)):
        folding = one.casefold()

        if folding != one or one.upper() != one:
            # ASCII's own two are not in this range.
            start = folding + folding.upper() if folding.isascii() else folding
            letters[folding] = letters.get(folding, start if len(folding) == 1 else "") + one

    # By each of them but ASCII's own, which stay among themselves.
    return {
        one: "".join(dict.fromkeys(group))
        for group in letters.values()
        for one in group
        if not one.isascii()
    }
