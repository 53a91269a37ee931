"""Deactivating, exporting and deleting users."""

from __future__ import annotations

from .call import Call, endpoint
from .errors import INPUT, StreamError
from .state import Document, now
from .users import public


def _deactivate(call: Call) -> Document:
    user = call.state.user(call.params["id"])
    if user.get("deactivated_at"):
        raise StreamError(INPUT, f"User with id {user['id']} is already deactivated")

    user["deactivated_at"] = now()
    return {"user": public(user)}


def _export(call: Call) -> Document:
    user = call.state.user(call.params["id"])
    written = [m for m in call.state.messages.values() if m["user"]["id"] == user["id"]]
    given = [r for some in call.state.reactions.values() for r in some]
    mine = [r for r in given if r["user_id"] == user["id"]]
    return {"user": public(user), "messages": written, "reactions": mine}


def _delete_many(call: Call) -> Document:
    users = [call.state.named_user(str(i), "user_ids") for i in call.part("user_ids", list)]
    for user in users:
        user["deleted_at"] = now()
        if call.body.get("user") == "hard":
            del call.state.users[user["id"]]

    return {"task_id": call.state.finished_task({u["id"]: {"status": "ok"} for u in users})}


ROUTES = (
    *endpoint(
        "DeleteUsers", "POST", "/users/delete", _delete_many, family="common", server_only=True
    ),
    *endpoint(
        "DeactivateUser",
        "POST",
        "/users/{id}/deactivate",
        _deactivate,
        family="common",
        server_only=True,
    ),
    *endpoint(
        "ExportUser", "GET", "/users/{id}/export", _export, family="common", server_only=True
    ),
)
