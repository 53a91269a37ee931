"""Search in messages."""

from __future__ import annotations

from .call import Call, endpoint, page
from .errors import INPUT, StreamError
from .filters import matches
from .messages import channel_of
from .state import Document


def _search(call: Call) -> Document:
    payload = call.payload()
    limit, offset = page(payload, 10, 100)
    words = str(payload.get("query") or "").lower()
    if not words:
        raise StreamError(INPUT, "query is required", {"query": "required"})

    found = []
    for message in call.state.messages.values():
        channel = channel_of(call, message)
        fits = words in message["text"].lower() and not message.get("deleted_at")
        if fits and matches(channel.facts(), payload.get("filter_conditions") or {}):
            found.append({"message": {**message, "channel": channel.data}})

    return {"results": found[offset : offset + limit]}


ROUTES = endpoint("Search", "GET", "/search", _search)
