"""Users: upsert, change, query, guests."""

from __future__ import annotations

import uuid
from typing import Any

import jwt

from .call import Call, Route, checked, page
from .errors import INPUT, NOT_ALLOWED, StreamError
from .filters import arrange, matches
from .rendering import check_custom, read_time, split
from .state import Document, now

WRITABLE = {"id", "name", "image", "role", "language", "teams", "teams_role", "invisible"}
WRITABLE |= {"privacy_settings"}
OURS = {"banned", "online", "shadow_banned", "created_at", "updated_at", "deactivated_at"}
OURS |= {"deleted_at", "last_active", "revoke_tokens_issued_before", "devices", "ban_expires"}
BATCH = 100


def public(user: Document) -> Document:
    """Return a user as everybody may see it."""
    shown = {key: value for key, value in user.items() if key != "blocked"}
    return {**shown, "blocked_user_ids": []}


def own(user: Document) -> Document:
    """Return a user as the server may see it, with the counters the SDKs expect."""
    counters = dict.fromkeys(
        ("total_unread_count", "unread_channels", "unread_count", "unread_threads"), 0
    )
    lists: Document = {"devices": [], "mutes": [], "channel_mutes": []}
    return {**public(user), **counters, **lists, "blocked_user_ids": list(user.get("blocked", ()))}


def _upsert(call: Call) -> Document:
    wanted = call.part("users")
    if not 0 < len(wanted) <= BATCH:
        raise StreamError(INPUT, f"between 1 and {BATCH} users", {"users": f"1 to {BATCH}"})

    for user_id, given in wanted.items():
        if checked(given, dict, "users").get("id") != user_id:
            raise StreamError(INPUT, "users must be keyed by their id", {"users": "key is not id"})

        _only_self(call, user_id)

    return _answer([_write(call, given) for given in wanted.values()])


def _write(call: Call, given: Document) -> Document:
    fields = split(given, WRITABLE, OURS, call.version)
    user = call.state.add_user(str(given["id"]))
    user.update(fields, updated_at=now())
    return user


def _only_self(call: Call, user_id: str) -> None:
    if not call.principal.is_server and call.principal.user_id != user_id:
        raise StreamError(NOT_ALLOWED, "a user may only change itself")


def _answer(users: list[Document]) -> Document:
    return {"users": {user["id"]: own(user) for user in users}, "membership_deletion_task_id": ""}


def _change(call: Call) -> Document:
    updates = call.part("users", list)
    users = [call.state.user(str(checked(item, dict, "users").get("id"))) for item in updates]
    for user, update in zip(users, updates, strict=True):
        _only_self(call, user["id"])
        _set(call, user, update.get("set") or {})
        _unset(user, update.get("unset") or [])

    return _answer(users)


def _set(call: Call, user: Document, values: Document) -> None:
    for field, value in values.items():
        if field == "revoke_tokens_issued_before":
            call.server_only("revoke_tokens_issued_before")
            user[field] = read_time(value, field)
        elif field in WRITABLE - {"id"}:
            user[field] = value
        elif field not in OURS:
            user["custom"][field] = value

    check_custom(user["custom"])
    user["updated_at"] = now()


def _unset(user: Document, names: list[str]) -> None:
    for name in names:
        user["custom"].pop(name, None)
        if name in ("name", "image", "revoke_tokens_issued_before"):
            user.pop(name, None)


def _query(call: Call) -> Document:
    payload = call.payload()
    limit, offset = page(payload, 30, 100)
    conditions = payload.get("filter_conditions") or {}
    with_gone = payload.get("include_deactivated_users", False)
    found = [
        user
        for user in call.state.users.values()
        if (with_gone or not user.get("deactivated_at"))
        and not user.get("deleted_at")
        and matches({**user["custom"], **user}, conditions)
    ]
    return {"users": [own(user) for user in arrange(found, payload.get("sort"), limit, offset)]}


def _guest(call: Call) -> Document:
    given = call.part("user")
    guest_id = f"guest-{uuid.uuid4()}-{given.get('id', '')}"
    user = _write(call, {**given, "id": guest_id})
    user["role"] = "guest"
    claims: dict[str, Any] = {"user_id": guest_id}
    return {"user": own(user), "access_token": jwt.encode(claims, call.secret, "HS256")}


def _custom_event(call: Call) -> Document:
    call.state.user(call.params["id"])
    call.part("event")
    return {}


ROUTES = (
    Route("UpdateUsers", "POST", "/users", _upsert, "common"),
    Route("UpdateUsersPartial", "PATCH", "/users", _change, "common"),
    Route("QueryUsers", "GET", "/users", _query, "common"),
    Route("SendUserCustomEvent", "POST", "/users/{id}/event", _custom_event, "chat", (1, 2), True),
    Route("CreateGuest", "POST", "/guest", _guest, "common"),
)
