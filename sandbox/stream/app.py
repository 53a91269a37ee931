"""The app itself: its settings, block lists, devices, tasks, quotas."""

import copy
from datetime import datetime

from . import grants
from .call import Call, checked, common
from .errors import INPUT, StreamError
from .limits import quota
from .state import REVOCATION, Document, found, now, stamps

TEXTS = ("webhook_url", "custom_action_handler_url", "sqs_url", "sns_topic_arn")
# Of the some sixty settings those that say what a sidecar is before.
INITIAL: Document = {
    "id": 1,
    **dict.fromkeys(("name", "organization"), "sandbox"),
    **dict.fromkeys(("suspended", "disable_auth_checks", "disable_permissions_checks"), False),
    **dict.fromkeys(TEXTS, ""),
    "permission_version": "v2",
    "webhook_events": [],
}
VERSIONS = ("v1", "v2")


def initial() -> Document:
    """Return the settings of a new app."""
    return {**INITIAL, "grants": copy.deepcopy(grants.APP_GRANTS), "policies": {}}


def _get_app(call: Call) -> Document:
    return {"app": {**call.state.app, "channel_configs": call.state.channel_types}}


def _update_app(call: Call) -> Document:
    for field in call.body.keys() & TEXTS:
        checked(call.body[field], str, field)

    if call.body.get("permission_version", VERSIONS[0]) not in VERSIONS:
        wanted = f"permission_version must be one of [{' '.join(VERSIONS)}]"
        raise StreamError(INPUT, wanted, "permission_version")

    changed = dict(call.body)
    if "grants" in changed:
        before = call.state.app["grants"]
        changed["grants"] = grants.granted(before, changed["grants"], call.state.roles)

    if REVOCATION in changed:
        changed[REVOCATION] = changed[REVOCATION] and datetime.fromisoformat(changed[REVOCATION])

    call.state.app.update(changed)
    return {}


def _create_block_list(call: Call) -> Document:
    name = call.part("name", str)
    call.state.block_lists[name] = {"name": name, "words": call.part("words", list), **stamps()}
    return {"blocklist": call.state.block_lists[name]}


def _get_block_list(call: Call) -> Document:
    return {"blocklist": found(call.state.block_lists, call.params["name"], "blocklist")}


def _add_device(call: Call) -> Document:
    user = call.acting_user(call.body, "device")
    given = {name: call.part(name, str) for name in ("id", "push_provider")}
    device = {**given, "user_id": user["id"], "created_at": now()}
    call.state.devices.setdefault(user["id"], []).append(device)
    return {}


def _list_devices(call: Call) -> Document:
    user = call.acting_user(call.query, "query")
    return {"devices": call.state.devices.get(user["id"], [])}


def _get_task(call: Call) -> Document:
    return found(call.state.tasks, call.params["id"], "task")


def _rate_limits(call: Call) -> Document:
    """Answer with the quotas of the endpoints asked for, the same for each platform."""
    names = [name for name in call.query.get("endpoints", "").split(",") if name]
    quotas = dict.fromkeys(names, quota())
    return dict.fromkeys(("server_side", "android", "ios", "web"), quotas)


ROUTES = (
    *common("GET", "/app", _get_app, server_only=True),
    *common("PATCH", "/app", _update_app, server_only=True),
    *common("POST", "/blocklists", _create_block_list, server_only=True),
    *common("GET", "/blocklists/{name}", _get_block_list, server_only=True),
    *common("POST", "/devices", _add_device),
    *common("GET", "/devices", _list_devices),
    *common("GET", "/tasks/{id}", _get_task, server_only=True),
    *common("GET", "/rate_limits", _rate_limits, server_only=True),
)
