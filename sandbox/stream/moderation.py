"""Bans, mutes and flags. They are kept and told; nobody is kept from writing by them."""

from __future__ import annotations

import uuid

from .call import Call, endpoint
from .filters import matches
from .state import Document, now
from .users import own, public


def _ban(call: Call) -> Document:
    target = call.state.named_user(call.part("target_user_id", str), "target_user_id")
    banned_by = call.acting_user(call.body, "ban", "banned_by", "user")
    call.state.bans[target["id"]] = {
        "user": target,
        "banned_by": banned_by,
        "created_at": now(),
        "reason": call.body.get("reason", ""),
        "shadow": False,
    }
    target["banned"] = True
    return {}


def _unban(call: Call) -> Document:
    source = {**call.query, **call.body}
    target = call.state.named_user(str(source.get("target_user_id")), "target_user_id")
    call.state.bans.pop(target["id"], None)
    target["banned"] = False
    return {}


def _bans(call: Call) -> Document:
    conditions = call.payload().get("filter_conditions") or {}
    found = [
        {**ban, "user": public(ban["user"]), "banned_by": public(ban["banned_by"])}
        for user_id, ban in call.state.bans.items()
        if matches({"user_id": user_id, "reason": ban["reason"]}, conditions)
    ]
    return {"bans": found}


def _targets(call: Call) -> list[Document]:
    ids = call.body.get("target_ids") or [call.body.get("target_id")]
    return [call.state.named_user(str(user_id), "target_ids") for user_id in ids]


def _mute(call: Call) -> Document:
    user, moment = call.acting_user(call.body, "mute"), now()
    stamps = {"created_at": moment, "updated_at": moment}
    mutes = [
        {"user": public(user), "target": public(target), **stamps} for target in _targets(call)
    ]
    return {"mute": mutes[0], "mutes": mutes, "own_user": {**own(user), "mutes": mutes}}


def _unmute(call: Call) -> Document:
    call.acting_user(call.body, "mute")
    _targets(call)
    return {}


def _flag(call: Call) -> Document:
    user, moment = call.acting_user(call.body, "flag"), now()
    message = call.state.message(call.part("target_message_id", str))
    flag = {
        "user": public(user),
        "target_message_id": message["id"],
        "created_at": moment,
        "updated_at": moment,
    }
    return {"flag": flag, "item_id": str(uuid.uuid4())}


ROUTES = (
    *endpoint("Ban", "POST", "/moderation/ban", _ban, family="common"),
    *endpoint("Unban", "DELETE", "/moderation/ban", _unban, versions=(1,)),
    *endpoint("Unban", "POST", "/moderation/unban", _unban, family="common", versions=(2,)),
    *endpoint("QueryBannedUsers", "GET", "/query_banned_users", _bans),
    *endpoint("MuteUser", "POST", "/moderation/mute", _mute, family="common"),
    *endpoint("UnmuteUser", "POST", "/moderation/unmute", _unmute, family="common"),
    *endpoint("Flag", "POST", "/moderation/flag", _flag, family="common"),
)
