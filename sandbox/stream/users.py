"""Users: upsert, change, query, and their end."""

from datetime import datetime

from .call import Call, checked, common
from .errors import INPUT, NOT_ALLOWED, StreamError
from .filters import select
from .rendering import change, split
from .state import Document, found, now

WRITABLE = {"id", "name", "image", "role", "language", "teams", "invisible"}
BATCH = 100


def public(user: Document) -> Document:
    """Return a user as everybody may see it."""
    return {**user, "blocked_user_ids": []}


def own(user: Document) -> Document:
    """Return a user as the server may see it."""
    return {**public(user), "devices": [], "mutes": [], "channel_mutes": [], "unread_count": 0}


def _answer(users: list[Document]) -> Document:
    return {"users": {user["id"]: own(user) for user in users}, "membership_deletion_task_id": ""}


def _upsert(call: Call) -> Document:
    wanted = call.part("users")
    if not 0 < len(wanted) <= BATCH:
        raise StreamError(INPUT, f"between 1 and {BATCH} users", "users")

    for user_id, given in wanted.items():
        if checked(given, dict, "users").get("id") != user_id:
            raise StreamError(INPUT, "users must be keyed by their id", "users")

        call.only_for(user_id)

    return _answer([_write(call, given) for given in wanted.values()])


def _write(call: Call, given: Document) -> Document:
    fields = split(given, WRITABLE, call.version)
    user = call.state.add_user(str(given["id"]))
    user.update(fields, updated_at=now())
    return user


def _change(call: Call) -> Document:
    updates = call.part("users", list)
    users = [found(call.state.users, update["id"], "user") for update in updates]
    for user, update in zip(users, updates, strict=True):
        call.only_for(user["id"])
        _revoke(call, user, update.get("set") or {})
        change(user, update, WRITABLE)

    return _answer(users)


def _revoke(call: Call, user: Document, values: Document) -> None:
    """End the tokens issued before a time, where one is set; null takes that back."""
    name = "revoke_tokens_issued_before"
    if name not in values:
        return

    if not call.principal.is_server:
        raise StreamError(NOT_ALLOWED, f"{name} is only allowed with server side auth")

    user[name] = values[name] and datetime.fromisoformat(values[name])


def _query(call: Call) -> Document:
    gone = ("deactivated_at", "deleted_at")
    users = [{**one["custom"], **one} for one in call.state.users.values() if not one.keys() & gone]
    chosen = [call.state.users[one["id"]] for one in select(users, call.payload(), 100)]
    return {"users": [own(user) for user in chosen]}


def _deactivate(call: Call) -> Document:
    user = found(call.state.users, call.params["id"], "user")
    user["deactivated_at"] = now()
    return {"user": public(user)}


def _export(call: Call) -> Document:
    user = found(call.state.users, call.params["id"], "user")
    messages = [m for m in call.state.messages.values() if m["user"]["id"] == user["id"]]
    return {"user": public(user), "messages": messages, "reactions": []}


def _delete_many(call: Call) -> Document:
    users = [call.state.named_user(one, "user_ids") for one in call.part("user_ids", list)]
    for user in users:
        user["deleted_at"] = now()
        if call.body.get("user") == "hard":
            del call.state.users[user["id"]]

    return {"task_id": call.state.finished_task({u["id"]: {"status": "ok"} for u in users})}


USER = "/users/{id}"
ROUTES = (
    *common("POST", "/users", _upsert),
    *common("PATCH", "/users", _change),
    *common("GET", "/users", _query),
    *common("POST", "/users/delete", _delete_many, server_only=True),
    *common("POST", f"{USER}/deactivate", _deactivate, server_only=True),
    *common("GET", f"{USER}/export", _export, server_only=True),
)
