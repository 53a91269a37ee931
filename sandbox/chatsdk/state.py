"""All that the stand-in remembers, in memory, one per instance."""

import threading
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Channel:
    """A channel, and the role of each member by user id."""

    data: dict[str, Any]
    roles: dict[str, str]


@dataclass
class State:
    """Channels by their `cid`. Callers hold `lock` while they use it."""

    channels: dict[str, Channel] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
