"""All that the stand-in remembers, in memory, one per instance.

Objects are plain documents: times as datetimes, the customer's own fields under `custom`. How a
document looks outside is the matter of `rendering`. Callers hold `State.lock` while they use it.
"""

import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from .errors import INPUT, NOT_FOUND, StreamError

Document = dict[str, Any]
T = TypeVar("T")

#: The field of a user, and of the app, with the time before which tokens are ended.
REVOCATION = "revoke_tokens_issued_before"
USER_ID = re.compile(r"[A-Za-z0-9@_-]{1,255}")
USER_DEFAULTS: Document = {
    "role": "user",
    "language": "",
    **dict.fromkeys(("banned", "online", "invisible", "shadow_banned"), False),
}


def now() -> datetime:
    """Return the wall clock, in UTC."""
    return datetime.now(UTC)


def stamps() -> Document:
    """Return the times of what is made now."""
    moment = now()
    return {"created_at": moment, "updated_at": moment}


def found(things: Mapping[str, T], key: str, kind: str) -> T:
    """Return what a path names. Raises StreamError 16."""
    if key not in things:
        raise StreamError(NOT_FOUND, f"{kind} with id {key!r} doesn't exist")

    return things[key]


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
        return {**self.data["custom"], **self.data, "members": list(self.members)}


@dataclass
class State:
    """Everything by its key; bans, devices and reactions by whom or what they are of."""

    app: Document
    channel_types: dict[str, Document]
    roles: dict[str, Document]
    block_lists: dict[str, Document] = field(default_factory=dict)
    users: dict[str, Document] = field(default_factory=dict)
    channels: dict[str, Channel] = field(default_factory=dict)
    messages: dict[str, Document] = field(default_factory=dict)
    reactions: dict[str, dict[tuple[str, str], Document]] = field(default_factory=dict)
    bans: dict[str, Document] = field(default_factory=dict)
    devices: dict[str, list[Document]] = field(default_factory=dict)
    files: dict[str, Document] = field(default_factory=dict)
    tasks: dict[str, Document] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    secret: str = field(default="", repr=False)

    def named_user(self, user_id: object, place: str) -> Document:
        """Return a user whom a body names at `place`. Raises StreamError 4."""
        if user_id not in self.users:
            wanted = f"The following users are specified in {place}, but don't exist: [{user_id}]"
            raise StreamError(INPUT, wanted, place)

        return self.users[str(user_id)]

    def add_user(self, user_id: str) -> Document:
        """Return a new user with the vendor's defaults, replacing none. Raises StreamError 4."""
        if not USER_ID.fullmatch(user_id):
            raise StreamError(INPUT, f"invalid user id {user_id!r}: a-z, A-Z, 0-9, @, _, -", "id")

        user = {"id": user_id, **USER_DEFAULTS, **stamps(), "teams": [], "custom": {}}
        return self.users.setdefault(user_id, user)

    def channel(self, kind: str, channel_id: str) -> Channel:
        """Return a channel that exists. Raises StreamError 16."""
        return found(self.channels, f"{kind}:{channel_id}", "channel")

    def message(self, message_id: str) -> Document:
        """Return a message that exists. Raises StreamError 16."""
        return found(self.messages, message_id, "message")

    def finished_task(self, result: Document) -> str:
        """Return the id of a task that is done already."""
        task_id = str(uuid.uuid4())
        task = {"task_id": task_id, "status": "completed", **stamps(), "result": result}
        self.tasks[task_id] = task
        return task_id
