"""All that the stand-in remembers, in memory, one per instance."""

import threading
from dataclasses import dataclass, field
from typing import Any

from ..times import iso

Document = dict[str, Any]

APP_ID = "sandbox"


@dataclass
class State:
    """Clients and rooms by their id, tokens by their text. Callers hold `lock` while they use it.

    A token leads to its client's id and to its end in epoch seconds.
    """

    clients: dict[str, Document] = field(default_factory=dict)
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    rooms: dict[str, Document] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def upsert(self, client_id: str, given: Document, now: float) -> None:
        """Take over what is told of a client; what is left out stays."""
        client = self.clients.setdefault(client_id, {"_id": client_id, "lastLoginTimeMS": 0})
        client.update({**given, "updatedAt": iso(now)})

    def shown(self, client_id: str) -> Document:
        """Return a client as the server tells of it."""
        return {**self.clients[client_id], "id": client_id, "appID": APP_ID}

    def holder(self, token: str, now: float) -> str | None:
        """Return whose token it is; None where it is nobody's or at its end."""
        client_id, expires = self.tokens.get(token, ("", 0.0))
        return client_id if client_id in self.clients and now < expires else None
