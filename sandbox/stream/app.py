"""The app itself: its settings, its types of channels, block lists, devices, tasks, quotas."""

from .call import Call, chat, checked, common
from .errors import INPUT, StreamError
from .limits import quota
from .state import Document, found, now, stamps

PUSH_PROVIDERS = {"apn", "firebase", "huawei", "xiaomi"}
PLATFORMS = ("server_side", "android", "ios", "web")
# The settings are as many as a typed SDK wants to read.
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
CHANNEL_TYPES = ("messaging", "livestream", "team", "gaming", "commerce")
TYPE_ON = (
    *("typing_events", "read_events", "connect_events", "delivery_events", "custom_events"),
    *("search", "reactions", "replies", "quotes", "uploads", "mutes", "url_enrichment"),
    "push_notifications",
)
TYPE_OFF = (
    *("count_messages", "mark_messages_pending", "polls", "reminders", "user_message_reminders"),
    *("shared_locations", "skip_last_msg_update_for_system_msgs"),
)


def channel_types() -> dict[str, Document]:
    """Return the types that every app has."""
    shared: Document = {
        **dict.fromkeys(TYPE_ON, True),
        **dict.fromkeys(TYPE_OFF, False),
        "automod": "disabled",
        "automod_behavior": "flag",
        "max_message_length": 5_000,
        "message_retention": "infinite",
        **dict.fromkeys(("commands", "permissions"), []),
        "grants": {},
        **stamps(),
    }
    return {name: {"name": name, **shared} for name in CHANNEL_TYPES}


def _get_app(call: Call) -> Document:
    return {"app": {**call.state.app, "channel_configs": call.state.channel_types}}


def _update_app(call: Call) -> Document:
    for field in call.body.keys() & EMPTY:
        checked(call.body[field], str, field)

    call.state.app.update(call.body)
    return {}


def _list_channel_types(call: Call) -> Document:
    return {"channel_types": call.state.channel_types}


def _create_block_list(call: Call) -> Document:
    name = call.part("name", str)
    call.state.block_lists[name] = {"name": name, "words": call.part("words", list), **stamps()}
    return {"blocklist": call.state.block_lists[name]}


def _get_block_list(call: Call) -> Document:
    return {"blocklist": found(call.state.block_lists, call.params["name"], "blocklist")}


def _add_device(call: Call) -> Document:
    user, provider = call.acting_user(call.body, "device"), call.part("push_provider", str)
    if provider not in PUSH_PROVIDERS:
        raise StreamError(INPUT, "unknown push_provider", "push_provider")

    identity = {"id": call.part("id", str), "user_id": user["id"]}
    device = {**identity, "push_provider": provider, "created_at": now()}
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
    quotas = dict.fromkeys(names, quota()._asdict())
    platforms = [name for name in PLATFORMS if call.query.get(name) == "true"] or PLATFORMS
    return {platform: quotas for platform in platforms}


ROUTES = (
    *common("GET", "/app", _get_app, server_only=True),
    *common("PATCH", "/app", _update_app, server_only=True),
    *chat("GET", "/channeltypes", _list_channel_types, server_only=True),
    *common("POST", "/blocklists", _create_block_list, server_only=True),
    *common("GET", "/blocklists/{name}", _get_block_list, server_only=True),
    *common("POST", "/devices", _add_device),
    *common("GET", "/devices", _list_devices),
    *common("GET", "/tasks/{id}", _get_task, server_only=True),
    *common("GET", "/rate_limits", _rate_limits, server_only=True),
)
