"""All that the stand-in remembers, in memory, one per instance.

Objects are plain documents: times as datetimes, the customer's own fields under `custom`. How a
document looks outside is the matter of `rendering`. Callers hold `State.lock` while they use it.
"""

from __future__ import annotations

import re
import threading
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .errors import INPUT, NOT_FOUND, StreamError
from .limits import RateLimits

Document = dict[str, Any]

USER_ID = re.compile(r"[A-Za-z0-9@_-]{1,255}")
USER_DEFAULTS: Document = {
    "role": "user",
    "language": "",
    "banned": False,
    "online": False,
    "invisible": False,
    "shadow_banned": False,
}


def now() -> datetime:
    """Return the wall clock, in UTC."""
    return datetime.now(UTC)


@dataclass
class Channel:
    """A channel, its members by user id, its messages' ids in order, who read it when."""

    data: Document
    members: dict[str, Document] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    read: dict[str, Document] = field(default_factory=dict)

    @property
    def cid(self) -> str:
        """`type:id`, its key in the state."""
        return str(self.data["cid"])

    def facts(self) -> Document:
        """Return what a filter may ask about the channel."""
        data = self.data
        return {**data["custom"], **data, "members": list(self.members)}


@dataclass
class State:
    """Everything by its key; bans and devices by their user."""

    app: Document
    channel_types: dict[str, Document]
    block_lists: dict[str, Document] = field(default_factory=dict)
    users: dict[str, Document] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: dict[str, Document] = field(default_factory=dict)
    reactions: dict[str, list[Document]] = field(default_factory=dict)
    bans: dict[str, Document] = field(default_factory=dict)
    devices: dict[str, list[Document]] = field(default_factory=dict)
    files: dict[str, Document] = field(default_factory=dict)
    tasks: dict[str, Document] = field(default_factory=dict)
    limits: RateLimits = field(default_factory=RateLimits)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def user(self, user_id: str) -> Document:
        """Return a user that exists. Raises StreamError 16."""
        if user_id not in self.users:
            raise StreamError(NOT_FOUND, f"user with id {user_id!r} doesn't exist")

        return self.users[user_id]

    def named_user(self, user_id: str, place: str) -> Document:
        """Return a user whom a body names at `place`. Raises StreamError 4."""
        if user_id not in self.users:
            raise StreamError(
                INPUT,
                f"The following users are specified in {place}, but don't exist: [{user_id}]",
                {place: "user does not exist"},
            )

        return self.users[user_id]

    def add_user(self, user_id: str) -> Document:
        """Return a new user with the vendor's defaults, replacing none. Raises StreamError 4."""
        if not USER_ID.fullmatch(user_id):
            raise StreamError(
                INPUT, f"invalid user id {user_id!r}", {"id": "a-z, A-Z, 0-9, @, _ and - only"}
            )

        moment = now()
        user = {"id": user_id, **USER_DEFAULTS, "created_at": moment, "updated_at": moment}
        return self.users.setdefault(user_id, {**user, "teams": [], "custom": {}})

    def channel(self, kind: str, channel_id: str) -> Channel:
        """Return a channel that exists. Raises StreamError 16."""
        cid = f"{kind}:{channel_id}"
        if cid not in self.channels:
            raise StreamError(NOT_FOUND, f"Can't find channel with id {cid}")

        return self.channels[cid]

    def message(self, message_id: str) -> Document:
        """Return a message that exists. Raises StreamError 16."""
        if message_id not in self.messages:
            raise StreamError(NOT_FOUND, f"Message with id {message_id} doesn't exist")

        return self.messages[message_id]

    def finished_task(self, result: Document) -> str:
        """Return the id of a task that is done already."""
        task_id, moment = str(uuid.uuid4()), now()
        self.tasks[task_id] = {
            "task_id": task_id,
            "status": "completed",
            "created_at": moment,
            "updated_at": moment,
            "result": result,
        }
        return task_id
