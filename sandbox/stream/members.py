"""Who is in a channel and as what."""

from typing import Any

from .call import Call, chat
from .errors import INPUT, StreamError
from .filters import select
from .state import Channel, Document, stamps
from .users import public

MEMBER_BATCH = 100


def shown(call: Call, channel: Channel) -> list[Document]:
    """Return the members as they go out, each with its user."""
    return [
        {**member, "user": public(call.state.users.get(user_id, {"id": user_id, "custom": {}}))}
        for user_id, member in channel.members.items()
    ]


def add(call: Call, channel: Channel, given: list[Any], **extra: Any) -> None:
    """Make users members; who is one already keeps what it had. Raises StreamError 4."""
    if len(given) > MEMBER_BATCH:
        raise StreamError(INPUT, f"no more than {MEMBER_BATCH} members", "members")

    named = [item if isinstance(item, str) else item["user_id"] for item in given]
    for user in [call.state.named_user(user_id, "members") for user_id in named]:
        channel.members.setdefault(user["id"], _new(user["id"])).update(extra)


def _new(user_id: str) -> Document:
    role = {"role": "member", "channel_role": "channel_member", "status": "member"}
    return {"user_id": user_id, **role, "banned": False, **stamps(), "custom": {}}


def update(call: Call, channel: Channel) -> None:
    """Do what an update of the channel says about its members."""
    add(call, channel, call.body.get("add_members") or [])
    moderators = call.body.get("add_moderators") or []
    add(call, channel, moderators, channel_role="channel_moderator", is_moderator=True)


def _query(call: Call) -> Document:
    payload = call.payload()
    channel = call.state.channel(str(payload.get("type")), str(payload.get("id")))
    facts = [
        {**member, "id": member["user_id"], "name": member["user"].get("name")}
        for member in shown(call, channel)
    ]
    return {"members": select(facts, payload, 100)}


ROUTES = chat("GET", "/members", _query)
