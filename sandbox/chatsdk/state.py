"""All that the stand-in remembers, in memory, one per instance."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Document = dict[str, Any]


def iso(seconds: float) -> str:
    """Return a moment as JavaScript writes it."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Channel:
    """A channel, and the role of each member by user id."""

    data: Document
    roles: dict[str, str]


@dataclass
class State:
    """Channels by their `cid`. Callers hold `lock` while they use it."""

    channels: dict[str, Channel] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
