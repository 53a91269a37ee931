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
    """A channel, the role of each member by user id, its messages in order."""

    data: Document
    roles: dict[str, str]
    messages: list[Document] = field(default_factory=list)


@dataclass
class State:
    """Users and channels by their id. Callers hold `lock` while they use it."""

    users: dict[str, Document] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def upsert(self, given: Document) -> None:
        """Take over what is told of a user; an absent `custom` wipes the one that is kept."""
        user = self.users.setdefault(given["userId"], {"id": given["userId"]})
        user.update({name: given[name] for name in ("name", "image") if name in given})
        mail = {"email": given["email"]} if "email" in given else {}
        user["custom"] = {**given.get("custom", {}), **mail}

    def shown(self, user_id: str) -> Document:
        """Return a user as others see it; names and pictures that are unknown are null."""
        user = self.users.get(user_id, {})
        return {"id": user_id, "name": user.get("name"), "image": user.get("image")}
