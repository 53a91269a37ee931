"""Who is in a channel and as what."""

from __future__ import annotations

from typing import Any

from .call import Call, endpoint, page
from .errors import INPUT, StreamError
from .filters import arrange, matches
from .state import Channel, Document, now
from .users import public

MEMBER_BATCH = 100


def ids(given: list[Any]) -> list[str]:
    """User ids out of a list of ids or of objects that carry one. Raises StreamError 4."""
    found = []
    for item in given:
        user_id = item if isinstance(item, str) else _id_of(item)
        found.append(user_id)

    if len(found) > MEMBER_BATCH:
        raise StreamError(INPUT, f"no more than {MEMBER_BATCH} members", {"members": "too many"})

    return found


def _id_of(item: Any) -> str:
    user_id = item.get("user_id") or (item.get("user") or {}).get("id")
    if not isinstance(user_id, str):
        raise StreamError(INPUT, "a member needs user_id", {"members": "user_id is required"})

    return user_id


def shown(call: Call, channel: Channel) -> list[Document]:
    """Return the members as they go out, each with its user."""
    return [
        {**member, "user": public(call.state.users.get(user_id, {"id": user_id, "custom": {}}))}
        for user_id, member in channel.members.items()
    ]


def add(call: Call, channel: Channel, given: list[Any], **extra: Any) -> None:
    """Make users members; who is one already keeps what it had. Raises StreamError 4."""
    wanted = ids(given)
    for user_id in wanted:
        call.state.named_user(user_id, "members")

    for user_id, item in zip(wanted, given, strict=True):
        member = channel.members.setdefault(user_id, _new(user_id))
        member.update(extra)
        if isinstance(item, dict) and item.get("channel_role"):
            member["channel_role"] = item["channel_role"]


def _new(user_id: str) -> Document:
    moment = now()
    return {
        "user_id": user_id,
        "channel_role": "channel_member",
        "role": "member",
        "banned": False,
        "shadow_banned": False,
        "notifications_muted": False,
        "created_at": moment,
        "updated_at": moment,
        "status": "member",
        "custom": {},
    }


def change(call: Call, channel: Channel) -> None:
    """Do what an update of the channel says about its members."""
    add(call, channel, call.body.get("add_members") or [])
    for user_id in ids(call.body.get("remove_members") or []):
        channel.members.pop(user_id, None)

    moderators = call.body.get("add_moderators") or []
    add(call, channel, moderators, channel_role="channel_moderator", is_moderator=True)


def _query(call: Call) -> Document:
    payload = call.payload()
    limit, offset = page(payload, 100, 100)
    channel = call.state.channel(str(payload.get("type")), str(payload.get("id")))
    conditions = payload.get("filter_conditions") or {}
    found = [member for member in shown(call, channel) if matches(_facts(member), conditions)]
    return {"members": arrange(found, payload.get("sort"), limit, offset)}


def _facts(member: Document) -> Document:
    return {**member, "id": member["user_id"], "name": member["user"].get("name")}


ROUTES = endpoint("QueryMembers", "GET", "/members", _query)
