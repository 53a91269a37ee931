"""Search in messages."""

from __future__ import annotations

from .call import Call, Route, page
from .errors import INPUT, StreamError
from .filters import matches
from .messages import channel_of
from .state import Document


def _search(call: Call) -> Document:
    payload = call.payload()
    limit, offset = page(payload, 10, 100)
    if not payload.get("query") and not payload.get("message_filter_conditions"):
        raise StreamError(INPUT, "query or message_filter_conditions is required")

    found = [
        hit for message in call.state.messages.values() if (hit := _hit(call, message, payload))
    ]
    return {"results": found[offset : offset + limit]}


def _hit(call: Call, message: Document, payload: Document) -> Document | None:
    channel = channel_of(call, message)
    facts = {**channel.data["custom"], **channel.data, "members": list(channel.members)}
    words = str(payload.get("query") or "").lower()
    fits = (
        matches(facts, payload.get("filter_conditions") or {})
        and matches(
            {**message["custom"], **message}, payload.get("message_filter_conditions") or {}
        )
        and words in message["text"].lower()
        and not message.get("deleted_at")
    )
    return {"message": {**message, "channel": channel.data}} if fits else None


ROUTES = (Route("Search", "GET", "/search", _search),)
