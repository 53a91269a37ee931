"""The only clock."""

import dataclasses
import time
from collections.abc import Callable


@dataclasses.dataclass(frozen=True)
class Clock:
    """`now` is epoch seconds, `monotonic` never goes back."""

    # Time limits use `monotonic`, so that setting the system's clock neither ends nor extends one.
    now: Callable[[], float] = time.time
    monotonic: Callable[[], float] = time.monotonic
