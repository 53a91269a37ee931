"""Durations as people write them: digits and one unit."""

import re

UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
WRITTEN = re.compile(r"([0-9]{1,9})([smhd])")


def seconds_of(text: str) -> int:
    """Return the seconds of a text such as `90s`, `15m`, `24h` or `7d`; raise `ValueError`."""
    # Without a unit it is refused: to one reader a bare `90` is seconds, to another days.
    found = WRITTEN.fullmatch(text)

    if found is None:
        raise ValueError("a duration is digits and one of s, m, h, d")

    return int(found[1]) * UNITS[found[2]]


def written(seconds: int) -> str:
    """Write a number of seconds with the largest unit that fits."""
    if seconds == 0:
        return "0s"

    unit = next(one for one in reversed(UNITS) if seconds % UNITS[one] == 0)
    return f"{seconds // UNITS[unit]}{unit}"
