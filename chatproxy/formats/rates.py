"""Rates as people write them: `10 per 15 minutes`."""

import dataclasses
import re

MICROSECONDS = 1_000_000
UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
WRITTEN = re.compile(r"([0-9]{1,9}) per (?:([0-9]{1,4}) )?(second|minute|hour|day)s?")


@dataclasses.dataclass(frozen=True)
class Rate:
    """At most `count` events within `seconds`."""

    count: int
    seconds: int
    text: str

    @classmethod
    def read(cls, text: str) -> "Rate":
        """Parse a text such as `10 per 15 minutes` or `100 per minute`; raise `ValueError`."""
        found = WRITTEN.fullmatch(text)

        if found is None or int(found[1]) == 0 or int(found[2] or 1) == 0:
            raise ValueError("a rate is such as `10 per 15 minutes`")

        return cls(int(found[1]), int(found[2] or 1) * UNITS[found[3]], text)

    def __str__(self) -> str:
        return self.text
