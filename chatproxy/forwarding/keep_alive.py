"""`Keep-Alive`: what an upstream says about how long it keeps a connection (RFC 2068, 19.7.1).

No later standard defines the field, but many servers send it. It can only shorten what we would
do by ourselves; what is no plain number is passed over.
"""

import math
import re
from collections.abc import Iterable

#: Seconds before the upstream's own end, since a request that crosses with it is lost.
MARGIN = 1.0

NAME = "keep-alive"
PARAMETER = re.compile(r"[ \t]*(timeout|max)[ \t]*=[ \t]*([0-9]{1,9})[ \t]*", re.IGNORECASE)


def promised(fields: Iterable[tuple[str, str]]) -> tuple[float, float]:
    """Return for how many seconds the connection may be idle, and be used how often again.

    Of several values the least counts; what is not said is infinite.
    """
    seconds = further = math.inf

    for name, value in fields:
        if len(name) != len(NAME) or name.lower() != NAME:
            continue

        for part in re.split("[,;]", value):
            if (found := PARAMETER.fullmatch(part)) is None:
                continue

            if found[1].lower() == "timeout":
                seconds = min(seconds, int(found[2]) - MARGIN)
            else:
                further = min(further, int(found[2]))

    return seconds, further
