"""Users: upsert, change, query, and their end."""

import uuid
from datetime import datetime

import jwt

from .call import Call, checked, common
from .errors import INPUT, NOT_ALLOWED, StreamError
from .filters import select
from .rendering import change, split
from .state import REVOCATION, Document, found, now

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

    # What is there already is replaced, as the vendor documents it: what is not named is gone.
    for name in ("name", "image"):
        user.pop(name, None)

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
    if REVOCATION not in values:
        return

    if not call.principal.is_server:
        raise StreamError(NOT_ALLOWED, f"{REVOCATION} is only allowed with server side auth")

    user[REVOCATION] = values[REVOCATION] and datetime.fromisoformat(values[REVOCATION])


def _guest(call: Call) -> Document:
    """Make a user who came without a token, with an id of its own, and a token to go on with."""
    given = call.part("user")
    name = checked(given.get("id"), str, "user.id")
    user_id = f"guest-{uuid.uuid4()}-{name}"
    user = _write(call, {**given, "id": user_id, "role": "guest"})
    claims = {"user_id": user_id, "iat": int(now().timestamp())}
    return {"user": public(user), "access_token": jwt.encode(claims, call.state.secret, "HS256")}


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
    *common("POST", "/guest", _guest, is_open=True),
    *common("POST", "/users/delete", _delete_many, server_only=True),
    *common("POST", f"{USER}/deactivate", _deactivate, server_only=True),
    *common("GET", f"{USER}/export", _export, server_only=True),
)
