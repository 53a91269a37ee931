"""Bans, mutes and flags. They are kept and told; nobody is kept from writing by them."""

import uuid

from .call import Call, chat, common, common_v1, common_v2
from .filters import select
from .state import Document, now, stamps
from .users import own, public


def _ban(call: Call) -> Document:
    target = call.state.named_user(call.part("target_user_id", str), "target_user_id")
    call.state.bans[target["id"]] = {
        "user_id": target["id"],
        "user": public(target),
        "banned_by": public(call.acting_user(call.body, "ban", "banned_by")),
        "created_at": now(),
        "reason": call.body.get("reason", ""),
        "shadow": False,
    }
    target["banned"] = True
    return {}


def _unban(call: Call) -> Document:
    source = {**call.query, **call.body}
    target = call.state.named_user(source.get("target_user_id"), "target_user_id")
    call.state.bans.pop(target["id"], None)
    target["banned"] = False
    return {}


def _bans(call: Call) -> Document:
    return {"bans": select(call.state.bans.values(), call.payload(), 100)}


def _targets(call: Call) -> list[Document]:
    ids = call.body.get("target_ids") or [call.body.get("target_id")]
    return [call.state.named_user(user_id, "target_ids") for user_id in ids]


def _mute(call: Call) -> Document:
    user = call.acting_user(call.body, "mute")
    mutes = [
        {"user": public(user), "target": public(target), **stamps()} for target in _targets(call)
    ]
    return {"mute": mutes[0], "mutes": mutes, "own_user": {**own(user), "mutes": mutes}}


def _unmute(call: Call) -> Document:
    call.acting_user(call.body, "mute")
    _targets(call)
    return {}


def _flag(call: Call) -> Document:
    user = call.acting_user(call.body, "flag")
    message = call.state.message(call.part("target_message_id", str))
    flag = {"user": public(user), "target_message_id": message["id"], **stamps()}
    return {"flag": flag, "item_id": str(uuid.uuid4())}


ROUTES = (
    *common("POST", "/moderation/ban", _ban),
    *common_v1("DELETE", "/moderation/ban", _unban),
    *common_v2("POST", "/moderation/unban", _unban),
    *chat("GET", "/query_banned_users", _bans),
    *common("POST", "/moderation/mute", _mute),
    *common("POST", "/moderation/unmute", _unmute),
    *common("POST", "/moderation/flag", _flag),
)
