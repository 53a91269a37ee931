"""Bans, mutes and flags by the server, blocks by users."""

from __future__ import annotations

import uuid
from datetime import timedelta

from .call import Call, Route
from .errors import INPUT, StreamError
from .filters import matches
from .state import Document, now
from .users import own, public


def _place(source: Document) -> str:
    """Return the channel a ban is for, `channel_cid` or `type` and `id`; empty for the app."""
    if source.get("channel_cid"):
        return str(source["channel_cid"])

    return f"{source['type']}:{source['id']}" if source.get("type") and source.get("id") else ""


def _ban(call: Call) -> Document:
    target = call.state.named_user(call.part("target_user_id", str), "target_user_id")
    banned_by = call.acting_user(call.body, "ban", "banned_by", "user")
    moment, minutes = now(), call.body.get("timeout")
    ban = {
        "user": target["id"],
        "banned_by": banned_by["id"],
        "created_at": moment,
        "reason": call.body.get("reason", ""),
        "shadow": bool(call.body.get("shadow")),
        "expires": moment + timedelta(minutes=minutes) if minutes else None,
    }
    call.state.bans[target["id"], _place(call.body)] = ban
    _mark(call, target)
    return {}


def _unban(call: Call) -> Document:
    source = {**call.query, **call.body}
    target = call.state.named_user(str(source.get("target_user_id")), "target_user_id")
    call.state.bans.pop((target["id"], _place(source)), None)
    _mark(call, target)
    return {}


def _mark(call: Call, user: Document) -> None:
    """Keep the user's flags and its memberships in step with the bans."""
    whole = call.state.bans.get((user["id"], ""))
    user["banned"] = whole is not None and not whole["shadow"]
    user["shadow_banned"] = whole is not None and whole["shadow"]
    for cid, channel in call.state.channels.items():
        if user["id"] in channel.members:
            channel.members[user["id"]]["banned"] = (user["id"], cid) in call.state.bans


def _bans(call: Call) -> Document:
    conditions = call.payload().get("filter_conditions") or {}
    found = []
    for (user_id, cid), ban in call.state.bans.items():
        if matches({**ban, "user_id": user_id, "channel_cid": cid or None}, conditions):
            found.append(_shown_ban(call, ban, cid))

    return {"bans": found}


def _shown_ban(call: Call, ban: Document, cid: str) -> Document:
    shown = {
        **ban,
        "user": public(call.state.users[ban["user"]]),
        "banned_by": public(call.state.users[ban["banned_by"]]),
    }
    if cid in call.state.channels:
        shown["channel"] = call.state.channels[cid].data

    return {key: value for key, value in shown.items() if value is not None}


def _targets(call: Call) -> list[Document]:
    ids = call.body.get("target_ids") or [call.body.get("target_id")]
    return [call.state.named_user(str(user_id), "target_ids") for user_id in ids]


def _mute(call: Call) -> Document:
    user, moment = call.acting_user(call.body, "mute"), now()
    mutes = []
    for target in _targets(call):
        mute = {
            "user": public(user),
            "target": public(target),
            "created_at": moment,
            "updated_at": moment,
        }
        call.state.mutes[user["id"], target["id"]] = mute
        mutes.append(mute)

    return {"mute": mutes[0], "mutes": mutes, "own_user": {**own(user), "mutes": mutes}}


def _unmute(call: Call) -> Document:
    user = call.acting_user(call.body, "mute")
    for target in _targets(call):
        if call.state.mutes.pop((user["id"], target["id"]), None) is None:
            raise StreamError(INPUT, f"user {target['id']} is not muted")

    return {}


def _cid(call: Call) -> str:
    cids = call.body.get("channel_cids") or [call.body.get("channel_cid")]
    kind, _, channel_id = str(cids[0]).partition(":")
    return call.state.channel(kind, channel_id).cid


def _mute_channel(call: Call) -> Document:
    user, cid, moment = call.acting_user(call.body, "mute"), _cid(call), now()
    mute = {
        "user": public(user),
        "channel": call.state.channels[cid].data,
        "created_at": moment,
        "updated_at": moment,
    }
    call.state.mutes[user["id"], cid] = mute
    return {"channel_mute": mute, "channel_mutes": [mute], "own_user": own(user)}


def _unmute_channel(call: Call) -> Document:
    user = call.acting_user(call.body, "mute")
    call.state.mutes.pop((user["id"], _cid(call)), None)
    return {}


def _flag(call: Call) -> Document:
    user, moment = call.acting_user(call.body, "flag"), now()
    flag: Document = {"user": public(user), "created_at": moment, "updated_at": moment}
    if call.body.get("target_message_id"):
        flag["target_message_id"] = call.state.message(call.body["target_message_id"])["id"]
    else:
        target = call.state.named_user(str(call.body.get("target_user_id")), "target_user_id")
        flag["target_user"] = public(target)

    return {"flag": flag, "item_id": str(uuid.uuid4())}


def _block(call: Call) -> Document:
    user = call.acting_user(call.body, "block")
    target = call.state.named_user(str(call.part("blocked_user_id", str)), "blocked_user_id")
    user.setdefault("blocked", {})[target["id"]] = now()
    return {"blocks": _blocks(call, user), "blocked_user_id": target["id"]}


def _unblock(call: Call) -> Document:
    user = call.acting_user(call.body, "block")
    user.get("blocked", {}).pop(call.body.get("blocked_user_id"), None)
    return {}


def _blocked(call: Call) -> Document:
    return {"blocks": _blocks(call, call.acting_user(call.query, "query"))}


def _blocks(call: Call, user: Document) -> list[Document]:
    return [
        {
            "user_id": user["id"],
            "blocked_user_id": other,
            "created_at": moment,
            "user": public(user),
            "blocked_user": public(call.state.users.get(other, {"id": other, "custom": {}})),
        }
        for other, moment in user.get("blocked", {}).items()
    ]


ROUTES = (
    Route("BlockUsers", "POST", "/users/block", _block, "common"),
    Route("UnblockUsers", "POST", "/users/unblock", _unblock, "common"),
    Route("GetBlockedUsers", "GET", "/users/block", _blocked, "common"),
    Route("Ban", "POST", "/moderation/ban", _ban, "common"),
    Route("Unban", "DELETE", "/moderation/ban", _unban, "common", (1,)),
    Route("Unban", "POST", "/moderation/unban", _unban, "common", (2,)),
    Route("QueryBannedUsers", "GET", "/query_banned_users", _bans),
    Route("MuteUser", "POST", "/moderation/mute", _mute, "common"),
    Route("UnmuteUser", "POST", "/moderation/unmute", _unmute, "common"),
    Route("MuteChannel", "POST", "/moderation/mute/channel", _mute_channel),
    Route("UnmuteChannel", "POST", "/moderation/unmute/channel", _unmute_channel),
    Route("Flag", "POST", "/moderation/flag", _flag, "common"),
    Route("Unflag", "POST", "/moderation/unflag", _flag, "common", (1,)),
)
