"""Messages, replies, and the search in them."""

import html
import uuid

from .call import Call, chat, checked
from .errors import INPUT, TOO_LONG, StreamError
from .filters import matches, page
from .rendering import change, split
from .state import Document, now, stamps
from .users import public

TEXT_LIMIT = 5_000
WRITABLE = {
    *("id", "text", "mml", "attachments", "parent_id", "show_in_channel", "silent", "type"),
    *("quoted_message_id", "pinned", "pin_expires", "mentioned_users", "poll_id"),
}
EMPTY: Document = {
    **dict.fromkeys(("silent", "shadowed", "pinned"), False),
    **dict.fromkeys(("attachments", "latest_reactions", "own_reactions", "mentioned_users"), []),
    **dict.fromkeys(("reaction_counts", "reaction_scores"), {}),
    "reply_count": 0,
}


def _send(call: Call) -> Document:
    channel = call.state.channel(call.params["type"], call.params["id"])
    given = call.part("message")
    fields = split(given, WRITABLE, call.version)
    message_id = str(fields.get("id") or uuid.uuid4())
    if message_id in call.state.messages:
        wanted = f"a message with ID {message_id} already exists"
        raise StreamError(INPUT, wanted, "message.id")

    user = call.acting_user(given, "message")
    message = {
        **EMPTY,
        **fields,
        **_texts(fields),
        "id": message_id,
        "type": "reply" if fields.get("parent_id") else "regular",
        "user": public(user),
        "cid": channel.cid,
        **stamps(),
    }
    if fields.get("parent_id"):
        call.state.message(fields["parent_id"])["reply_count"] += 1

    call.state.messages[message_id] = message
    channel.messages.append(message_id)
    channel.data["last_message_at"] = message["created_at"]
    return {"message": message}


def _texts(fields: Document) -> Document:
    """Return a message's text and the HTML of it. Raises StreamError 4 or 20."""
    text = checked(fields.get("text") or "", str, "message.text")
    if len(text) > TEXT_LIMIT:
        wanted = f"message text is longer than {TEXT_LIMIT} characters"
        raise StreamError(TOO_LONG, wanted, "message.text")

    if not text and not fields.get("attachments"):
        raise StreamError(INPUT, "message text or attachments are required", "message.text")

    return {"text": text, "html": f"<p>{html.escape(text)}</p>\n"}


def _get(call: Call) -> Document:
    message = call.state.message(call.params["id"])
    return {"message": {**message, "channel": call.state.channels[message["cid"]].data}}


def _many(call: Call) -> Document:
    wanted = call.query.get("ids", "").split(",")
    return {"messages": [call.state.messages[i] for i in wanted if i in call.state.messages]}


def _update(call: Call) -> Document:
    message, given = call.state.message(call.params["id"]), call.part("message")
    call.only_for(message["user"]["id"])
    fields = split(given, WRITABLE, call.version)
    message.update(fields, **_texts(fields), id=message["id"], updated_at=now())
    message["mentioned_users"] = []
    return {"message": message}


def _change(call: Call) -> Document:
    message = call.state.message(call.params["id"])
    call.only_for(message["user"]["id"])
    call.acting_user(call.body, "message")
    change(message, call.body, WRITABLE)
    message.update(_texts(message))
    return {"message": message}


def _delete(call: Call) -> Document:
    message = call.state.message(call.params["id"])
    call.only_for(message["user"]["id"])
    message.update(type="deleted", deleted_at=now())
    if call.query.get("hard") == "true":
        del call.state.messages[message["id"]]
        call.state.channels[message["cid"]].messages.remove(message["id"])

    return {"message": message}


def _replies(call: Call) -> Document:
    parent = call.state.message(call.params["id"])
    replies = [m for m in call.state.messages.values() if m.get("parent_id") == parent["id"]]
    return {"messages": page(replies, call.query, 300)}


def _search(call: Call) -> Document:
    payload = call.payload()
    words = str(payload.get("query") or "").lower()
    hits = []
    for message in call.state.messages.values():
        channel, text = call.state.channels[message["cid"]], message["text"].lower()
        if words in text and matches(channel.facts(), payload.get("filter_conditions") or {}):
            hits.append({"message": {**message, "channel": channel.data}})

    return {"results": page(hits, payload, 100)}


CHANNEL, MESSAGE = "/channels/{type}/{id}", "/messages/{id}"
ROUTES = (
    *chat("POST", f"{CHANNEL}/message", _send),
    *chat("GET", f"{CHANNEL}/messages", _many),
    *chat("GET", MESSAGE, _get),
    *chat("POST", MESSAGE, _update),
    *chat("PUT", MESSAGE, _change),
    *chat("DELETE", MESSAGE, _delete),
    *chat("GET", f"{MESSAGE}/replies", _replies),
    *chat("GET", "/search", _search),
)
