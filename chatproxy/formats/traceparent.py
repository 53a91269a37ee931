"""The `traceparent` of W3C's Trace Context, level 1 (https://www.w3.org/TR/trace-context/)."""

import re

#: Version, trace id, parent id, flags; a later version may have more behind them (section 3.2).
#: Digits are in lower case (sections 3.2.2.3 and 3.2.2.4).
FORM = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?"
)
LENGTH_OF_VERSION_00 = 55


def read(text: str) -> tuple[str, str] | None:
    """Return the ids of the trace and of the caller's span; None if the field is not valid.

    Several fields in one request are joined with commas by the server, and are none that is valid.
    """
    found = FORM.fullmatch(text)

    if found is None or "," in text or (text[:2] == "00" and len(text) != LENGTH_OF_VERSION_00):
        return None

    return found[1], found[2]
