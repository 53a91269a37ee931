"""The app's own settings, devices, tasks, rate limits and the checks of push and queues."""

from __future__ import annotations

from .call import Call, Route, checked
from .errors import INPUT, NOT_FOUND, StreamError
from .limits import RateLimits
from .rendering import read_time
from .state import Document, now

PUSH_PROVIDERS = {"apn", "firebase", "huawei", "xiaomi"}
PLATFORMS = ("server_side", "android", "ios", "web")
URLS = {"webhook_url", "sqs_url", "before_message_send_hook_url", "custom_action_handler_url"}
OFF = (
    *("suspended", "disable_auth_checks", "disable_permissions_checks", "multi_tenant_enabled"),
    *("allow_multi_user_devices", "async_url_enrich_enabled", "auto_translation_enabled"),
    *("campaign_enabled", "feed_audit_logs_enabled", "guest_user_creation_disabled"),
    *("image_moderation_enabled", "moderation_enabled", "use_hook_v2"),
    *("member_custom_on_mentioned_users_enabled", "member_custom_on_messages_enabled"),
    *("member_custom_on_typing_events_enabled", "moderation_audio_call_moderation_enabled"),
    *("moderation_keyframe_video_enabled", "moderation_llm_configurability_enabled"),
    *("moderation_multitenant_blocklist_enabled", "moderation_video_call_moderation_enabled"),
    "user_response_time_enabled",
)
EMPTY = (
    *("suspended_explanation", "webhook_url", "custom_action_handler_url"),
    *("moderation_webhook_url", "sqs_url", "sqs_key", "sqs_secret"),
    *("sns_topic_arn", "sns_key", "sns_secret"),
)
UPLOADS = {"allowed_file_extensions": [], "size_limit": 104_857_600}
INITIAL: Document = {
    "id": 1,
    **dict.fromkeys(("name", "organization", "placement"), "sandbox"),
    **dict.fromkeys(OFF, False),
    **dict.fromkeys(EMPTY, ""),
    **dict.fromkeys(("webhook_events", "event_hooks", "user_search_disallowed_roles"), []),
    **dict.fromkeys(("grants", "policies", "call_types"), {}),
    **dict.fromkeys(("file_upload_config", "image_upload_config"), UPLOADS),
    "enforce_unique_usernames": "no",
    "permission_version": "v2",
    "push_notifications": {
        "version": "v2",
        "offline_only": False,
        **dict.fromkeys(
            ("apn", "firebase", "huawei", "xiaomi"), {"enabled": False, "development": False}
        ),
    },
    "cdn_expiration_seconds": 1_209_600,
    "reminders_interval": 1_800,
    "max_aggregated_activities_length": 0,
}


def _get_app(call: Call) -> Document:
    return {"app": {**call.state.app, "channel_configs": call.state.shelves["channeltypes"]}}


def _update_app(call: Call) -> Document:
    changes = dict(call.body)
    for field in changes.keys() & URLS:
        checked(changes[field], str, field)

    if "event_hooks" in changes:
        checked(changes["event_hooks"], list, "event_hooks")

    if "revoke_tokens_issued_before" in changes:
        before = changes["revoke_tokens_issued_before"]
        changes["revoke_tokens_issued_before"] = read_time(before, "revoke_tokens_issued_before")

    call.state.app.update(changes)
    return {}


def _add_device(call: Call) -> Document:
    user, provider = call.acting_user(call.body, "device"), call.part("push_provider", str)
    if provider not in PUSH_PROVIDERS:
        raise StreamError(INPUT, "unknown push_provider", {"push_provider": "unknown"})

    device = {
        "id": call.part("id", str),
        "push_provider": provider,
        "user_id": user["id"],
        "created_at": now(),
    }
    call.state.devices[user["id"], device["id"]] = device
    return {}


def _devices(call: Call) -> Document:
    user = call.acting_user(call.query, "query")
    mine = [device for (owner, _), device in call.state.devices.items() if owner == user["id"]]
    return {"devices": mine}


def _delete_device(call: Call) -> Document:
    user = call.acting_user(call.query, "query")
    if call.state.devices.pop((user["id"], call.query.get("id", "")), None) is None:
        raise StreamError(NOT_FOUND, "no such device")

    return {}


def _task(call: Call) -> Document:
    if call.params["id"] not in call.state.tasks:
        raise StreamError(NOT_FOUND, "no such task")

    return call.state.tasks[call.params["id"]]


def _check_push(call: Call) -> Document:
    return {"general_errors": [], "device_errors": {}, "skip_devices": True}


def _check_queue(call: Call) -> Document:
    return {"status": "ok", "error": "", "data": {}}


def rate_limits_route(limits: RateLimits, endpoints: frozenset[str]) -> Route:
    """`GET /rate_limits`; the same quotas for each platform asked for."""

    def answer(call: Call) -> Document:
        asked = [name for name in call.query.get("endpoints", "").split(",") if name]
        quotas = limits.look(sorted(endpoints.intersection(asked) if asked else endpoints))
        shown = {
            name: {"limit": quota.limit, "remaining": quota.remaining, "reset": quota.reset}
            for name, quota in quotas.items()
        }
        platforms = [name for name in PLATFORMS if call.query.get(name) == "true"] or PLATFORMS
        return {platform: shown for platform in platforms}

    return Route("GetRateLimits", "GET", "/rate_limits", answer, "common", (1, 2), True)


ROUTES = (
    Route("GetApp", "GET", "/app", _get_app, "common", (1, 2), True),
    Route("UpdateApp", "PATCH", "/app", _update_app, "common", (1, 2), True),
    Route("CreateDevice", "POST", "/devices", _add_device, "common"),
    Route("ListDevices", "GET", "/devices", _devices, "common"),
    Route("DeleteDevice", "DELETE", "/devices", _delete_device, "common"),
    Route("GetTask", "GET", "/tasks/{id}", _task, "common", (1, 2), True),
    Route("CheckPush", "POST", "/check_push", _check_push, "common", (1, 2), True),
    Route("CheckSQS", "POST", "/check_sqs", _check_queue, "common", (1, 2), True),
    Route("CheckSNS", "POST", "/check_sns", _check_queue, "common", (1, 2), True),
)
