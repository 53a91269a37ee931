"""Messages and their replies."""

from __future__ import annotations

import html
import uuid
from typing import Any

from .call import Call, checked, endpoint, page
from .configuration import TEXT_LIMIT
from .errors import INPUT, TOO_LONG, StreamError
from .rendering import split
from .state import Channel, Document, now
from .users import public

WRITABLE = {"id", "text", "mml", "attachments", "parent_id", "show_in_channel", "silent", "type"}
WRITABLE |= {"quoted_message_id", "pinned", "pin_expires", "mentioned_users", "poll_id"}
OURS = {"user", "user_id", "html", "cid", "created_at", "updated_at", "deleted_at", "reply_count"}
OURS |= {"latest_reactions", "own_reactions", "reaction_counts", "reaction_scores", "channel"}
OURS |= {"reaction_groups", "pinned_at", "pinned_by", "command", "i18n", "restricted_visibility"}


def compose(call: Call, channel: Channel, given: Document) -> Document:
    """Store a new message of a channel. Raises StreamError 4 or 20."""
    fields = split(given, WRITABLE, OURS, call.version)
    message_id = str(fields.get("id") or uuid.uuid4())
    if message_id in call.state.messages:
        raise StreamError(
            INPUT,
            f"message with id {message_id} already exists",
            {"message.id": "a message with this ID already exists"},
        )

    user, moment = call.acting_user(given, "message"), now()
    text = _text(fields)
    _check_parent(call, fields)
    message = {
        **_empty(),
        **fields,
        "id": message_id,
        "type": "reply" if fields.get("parent_id") else fields.get("type", "regular"),
        "text": text,
        "html": f"<p>{html.escape(text)}</p>\n",
        "user": public(user),
        "cid": channel.cid,
        "mentioned_users": _mentioned(call, fields),
        "created_at": moment,
        "updated_at": moment,
    }
    call.state.messages[message_id] = message
    channel.messages.append(message_id)
    channel.data["last_message_at"] = moment
    return message


def _empty() -> Document:
    zeros: Document = dict.fromkeys(("reply_count", "deleted_reply_count"), 0)
    falses = dict.fromkeys(("silent", "shadowed", "pinned", "mentioned_channel"), False)
    lists = ("attachments", "latest_reactions", "own_reactions", "restricted_visibility")
    maps = ("reaction_counts", "reaction_scores", "reaction_groups")
    return {
        **zeros,
        **falses,
        "mentioned_here": False,
        **{name: [] for name in lists},
        **{name: {} for name in maps},
    }


def _text(fields: Document) -> str:
    text = checked(fields.get("text") or "", str, "message.text")
    if len(text) > TEXT_LIMIT:
        wanted = f"message text is longer than {TEXT_LIMIT} characters"
        raise StreamError(TOO_LONG, wanted, {"text": f"max {TEXT_LIMIT}"})

    if not text and not fields.get("attachments"):
        raise StreamError(
            INPUT, "message text or attachments are required", {"message.text": "required"}
        )

    return str(text)


def _check_parent(call: Call, fields: Document) -> None:
    parent_id = fields.get("parent_id")
    if not parent_id:
        return

    if parent_id not in call.state.messages:
        raise StreamError(INPUT, f"parent message {parent_id} does not exist", {"parent_id": "bad"})

    call.state.messages[parent_id]["reply_count"] += 1


def _mentioned(call: Call, fields: Document) -> list[Document]:
    given: list[Any] = fields.get("mentioned_users") or []
    named = [item if isinstance(item, str) else item.get("id") for item in given]
    return [public(call.state.named_user(str(user_id), "mentioned_users")) for user_id in named]


def channel_of(call: Call, message: Document) -> Channel:
    """Return the channel that a message is in."""
    return call.state.channel(*message["cid"].split(":", 1))


def _send(call: Call) -> Document:
    channel = call.state.channel(call.params["type"], call.params["id"])
    return {"message": compose(call, channel, call.part("message"))}


def _get(call: Call) -> Document:
    message = call.state.message(call.params["id"])
    return {"message": {**message, "channel": channel_of(call, message).data}}


def _many(call: Call) -> Document:
    wanted = call.query.get("ids", "").split(",")
    return {"messages": [call.state.messages[i] for i in wanted if i in call.state.messages]}


def _update(call: Call) -> Document:
    message, given = call.state.message(call.params["id"]), call.part("message")
    call.only_for(message["user"]["id"])
    fields = split(given, WRITABLE, OURS, call.version)
    text = _text(fields)
    fields["mentioned_users"] = _mentioned(call, fields)
    message.update(fields, id=message["id"], text=text, updated_at=now())
    message["html"] = f"<p>{html.escape(text)}</p>\n"
    return {"message": message}


def _change(call: Call) -> Document:
    message = call.state.message(call.params["id"])
    call.only_for(message["user"]["id"])
    user = call.acting_user(call.body, "message")
    for field, value in (call.body.get("set") or {}).items():
        if field == "pinned":
            message.update(pinned=value, pinned_at=now() if value else None)
            message["pinned_by"] = public(user) if value else None
        elif field in WRITABLE:
            message[field] = value
        elif field not in OURS:
            message["custom"][field] = value

    for field in call.body.get("unset") or []:
        message["custom"].pop(field, None)

    message["text"] = _text(message)
    message["updated_at"] = now()
    return {"message": message}


def _delete(call: Call) -> Document:
    message = call.state.message(call.params["id"])
    call.only_for(message["user"]["id"])
    message.update(type="deleted", deleted_at=now())
    if call.query.get("hard") == "true":
        del call.state.messages[message["id"]]
        channel_of(call, message).messages.remove(message["id"])

    return {"message": message}


def _replies(call: Call) -> Document:
    parent = call.state.message(call.params["id"])
    limit, offset = page(call.query, 100, 300)
    found = [m for m in call.state.messages.values() if m.get("parent_id") == parent["id"]]
    return {"messages": found[offset : offset + limit]}


CHANNEL, MESSAGE = "/channels/{type}/{id}", "/messages/{id}"
ROUTES = (
    *endpoint("SendMessage", "POST", f"{CHANNEL}/message", _send),
    *endpoint("GetManyMessages", "GET", f"{CHANNEL}/messages", _many),
    *endpoint("GetMessage", "GET", MESSAGE, _get),
    *endpoint("UpdateMessage", "POST", MESSAGE, _update),
    *endpoint("UpdateMessagePartial", "PUT", MESSAGE, _change),
    *endpoint("DeleteMessage", "DELETE", MESSAGE, _delete),
    *endpoint("GetReplies", "GET", f"{MESSAGE}/replies", _replies),
)
