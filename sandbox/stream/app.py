"""The app itself: its settings, users' devices, tasks, quotas."""

from __future__ import annotations

from .call import Call, checked, endpoint
from .errors import INPUT, NOT_FOUND, StreamError
from .state import Document, now

PUSH_PROVIDERS = {"apn", "firebase", "huawei", "xiaomi"}
PLATFORMS = ("server_side", "android", "ios", "web")
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
    return {"app": {**call.state.app, "channel_configs": call.state.channel_types}}


def _update_app(call: Call) -> Document:
    for field in call.body.keys() & EMPTY:
        checked(call.body[field], str, field)

    call.state.app.update(call.body)
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
    call.state.devices.setdefault(user["id"], []).append(device)
    return {}


def _devices(call: Call) -> Document:
    user = call.acting_user(call.query, "query")
    return {"devices": call.state.devices.get(user["id"], [])}


def _task(call: Call) -> Document:
    if call.params["id"] not in call.state.tasks:
        raise StreamError(NOT_FOUND, "no such task")

    return call.state.tasks[call.params["id"]]


def _rate_limits(call: Call) -> Document:
    """Answer with the quotas of the endpoints asked for, the same for each platform."""
    names = [name for name in call.query.get("endpoints", "").split(",") if name]
    quotas = {name: call.state.limits.count(name, calls=0)._asdict() for name in names}
    platforms = [name for name in PLATFORMS if call.query.get(name) == "true"] or PLATFORMS
    return {platform: quotas for platform in platforms}


ROUTES = (
    *endpoint("GetApp", "GET", "/app", _get_app, family="common", server_only=True),
    *endpoint("UpdateApp", "PATCH", "/app", _update_app, family="common", server_only=True),
    *endpoint("CreateDevice", "POST", "/devices", _add_device, family="common"),
    *endpoint("ListDevices", "GET", "/devices", _devices, family="common"),
    *endpoint("GetTask", "GET", "/tasks/{id}", _task, family="common", server_only=True),
    *endpoint(
        "GetRateLimits", "GET", "/rate_limits", _rate_limits, family="common", server_only=True
    ),
)
