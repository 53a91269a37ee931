"""Users who go and come back: delete, restore, deactivate, reactivate, and the export of one."""

from __future__ import annotations

from .call import Call, Route
from .errors import INPUT, StreamError
from .state import Document, now
from .users import public


def _delete(call: Call) -> Document:
    user = call.state.user(call.params["id"])
    user["deleted_at"] = now()
    if call.query.get("hard_delete") == "true":
        del call.state.users[user["id"]]

    return {"user": public(user)}


def _ids(call: Call) -> list[str]:
    ids = call.part("user_ids", list)
    for user_id in ids:
        call.state.named_user(str(user_id), "user_ids")

    return [str(user_id) for user_id in ids]


def _delete_many(call: Call) -> Document:
    ids = _ids(call)
    for user_id in ids:
        call.state.users[user_id]["deleted_at"] = now()
        if call.body.get("user") == "hard":
            del call.state.users[user_id]

    return {"task_id": call.state.finished_task({i: {"status": "ok"} for i in ids})}


def _restore(call: Call) -> Document:
    for user_id in _ids(call):
        call.state.users[user_id].pop("deleted_at", None)

    return {}


def _deactivate(call: Call) -> Document:
    user = call.state.user(call.params["id"])
    if user.get("deactivated_at"):
        raise StreamError(INPUT, f"User with id {user['id']} is already deactivated")

    user["deactivated_at"] = now()
    return {"user": public(user)}


def _reactivate(call: Call) -> Document:
    user = call.state.user(call.params["id"])
    if not user.pop("deactivated_at", None):
        raise StreamError(INPUT, f"User with id {user['id']} is not deactivated")

    return {"user": public(user)}


def _deactivate_many(call: Call) -> Document:
    ids = _ids(call)
    for user_id in ids:
        call.state.users[user_id]["deactivated_at"] = now()

    return {"task_id": call.state.finished_task({i: {"status": "ok"} for i in ids})}


def _reactivate_many(call: Call) -> Document:
    ids = _ids(call)
    for user_id in ids:
        call.state.users[user_id].pop("deactivated_at", None)

    return {"task_id": call.state.finished_task({i: {"status": "ok"} for i in ids})}


def _export(call: Call) -> Document:
    user = call.state.user(call.params["id"])
    written = [m for m in call.state.messages.values() if m["user"]["id"] == user["id"]]
    given = [r for some in call.state.reactions.values() for r in some]
    mine = [r for r in given if r["user_id"] == user["id"]]
    return {"user": public(user), "messages": written, "reactions": mine}


ROUTES = (
    Route("DeleteUsers", "POST", "/users/delete", _delete_many, "common", server_only=True),
    Route("RestoreUsers", "POST", "/users/restore", _restore, "common", server_only=True),
    Route("DeactivateUsers", "POST", "/users/deactivate", _deactivate_many, "common", (1, 2), True),
    Route("ReactivateUsers", "POST", "/users/reactivate", _reactivate_many, "common", (1, 2), True),
    Route("DeleteUser", "DELETE", "/users/{id}", _delete, "common", (1,), True),
    Route("DeactivateUser", "POST", "/users/{id}/deactivate", _deactivate, "common", (1, 2), True),
    Route("ReactivateUser", "POST", "/users/{id}/reactivate", _reactivate, "common", (1, 2), True),
    Route("ExportUser", "GET", "/users/{id}/export", _export, "common", (1, 2), True),
)
