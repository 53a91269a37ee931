"""Users: upsert, change, query."""

from __future__ import annotations

from .call import Call, checked, endpoint, page
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
    return {**user, "blocked_user_ids": []}


def own(user: Document) -> Document:
    """Return a user as the server may see it, with the counters the SDKs expect."""
    counters = dict.fromkeys(
        ("total_unread_count", "unread_channels", "unread_count", "unread_threads"), 0
    )
    lists: Document = {"devices": [], "mutes": [], "channel_mutes": []}
    return {**public(user), **counters, **lists}


def _upsert(call: Call) -> Document:
    wanted = call.part("users")
    if not 0 < len(wanted) <= BATCH:
        raise StreamError(INPUT, f"between 1 and {BATCH} users", {"users": f"1 to {BATCH}"})

    for user_id, given in wanted.items():
        if checked(given, dict, "users").get("id") != user_id:
            raise StreamError(INPUT, "users must be keyed by their id", {"users": "key is not id"})

        call.only_for(user_id)

    return _answer([_write(call, given) for given in wanted.values()])


def _write(call: Call, given: Document) -> Document:
    fields = split(given, WRITABLE, OURS, call.version)
    user = call.state.add_user(str(given["id"]))
    user.update(fields, updated_at=now())
    return user


def _answer(users: list[Document]) -> Document:
    return {"users": {user["id"]: own(user) for user in users}, "membership_deletion_task_id": ""}


def _change(call: Call) -> Document:
    updates = call.part("users", list)
    users = [call.state.user(str(checked(item, dict, "users").get("id"))) for item in updates]
    for user, update in zip(users, updates, strict=True):
        call.only_for(user["id"])
        _set(call, user, update.get("set") or {})
        _unset(user, update.get("unset") or [])

    return _answer(users)


def _set(call: Call, user: Document, values: Document) -> None:
    for field, value in values.items():
        if field == "revoke_tokens_issued_before":
            if not call.principal.is_server:
                raise StreamError(NOT_ALLOWED, f"{field} is only allowed with server side auth")

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
    found = [
        user
        for user in call.state.users.values()
        if not user.get("deactivated_at")
        and not user.get("deleted_at")
        and matches({**user["custom"], **user}, conditions)
    ]
    return {"users": [own(user) for user in arrange(found, payload.get("sort"), limit, offset)]}


ROUTES = (
    *endpoint("UpdateUsers", "POST", "/users", _upsert, family="common"),
    *endpoint("UpdateUsersPartial", "PATCH", "/users", _change, family="common"),
    *endpoint("QueryUsers", "GET", "/users", _query, family="common"),
)
