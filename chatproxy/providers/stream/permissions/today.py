"""What there is at Stream: its roles, the grants of the application, its types of channels."""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from chatproxy.providers.permissions import Ask, Refused, Reply, Request, Unanswered
from chatproxy.providers.stream.permissions import grants
from chatproxy.providers.stream.permissions.refusals import reply_to

#: What `PUT /channeltypes/{name}` takes beside `grants` and `permissions` (OpenAPI,
#: `UpdateChannelTypeRequest`). It requires the first three.
REQUIRED = ("max_message_length", "automod", "automod_behavior")
SENT_BACK = (
    *REQUIRED,
    *("allowed_flag_reasons", "automod_thresholds", "blocklist", "blocklist_behavior"),
    *("blocklists", "chat_preferences", "commands", "connect_events", "count_messages"),
    *("custom_events", "delivery_events", "mark_messages_pending", "message_retention", "mutes"),
    *("partition_size", "partition_ttl", "polls", "push_level", "push_notifications", "quotes"),
    *("reactions", "read_events", "reminders", "replies", "search", "shared_locations"),
    *("skip_last_msg_update_for_system_msgs", "typing_events", "uploads", "url_enrichment"),
    "user_message_reminders",
)


class Unreadable(Unanswered):
    """Stream's answer has not the form that its document says."""


@dataclasses.dataclass(frozen=True)
class Today:
    """What Stream has. `types` are its types of channels as they were read, by name.

    `version` is the system that the application goes by: `1` or `2`, or another text. `known` are
    the permissions that there are, those of the application's own among them; None where Stream
    does not say.
    """

    roles: frozenset[str]
    custom_roles: tuple[str, ...]
    app: Mapping[str, list[str]]
    types: Mapping[str, Mapping[str, Any]]
    version: str
    known: frozenset[str] | None = None

    def grants_of(self, name: str) -> dict[str, list[str]]:
        """Return what roles are granted in a type of channels."""
        return grants.of_stream(self.types[name].get("grants"))

    def sent_back(self, name: str) -> dict[str, Any]:
        """Return what has to go with a change of a type of channels, for the rest to stay."""
        # What a PUT leaves out may go back to its default: the three that it requires show that
        # it is no change of single fields.
        read = self.types[name]
        fields = {one: read[one] for one in SENT_BACK if read.get(one) is not None}

        if isinstance(fields.get("commands"), list):
            fields["commands"] = [_name_of(one) for one in fields["commands"]]

        return fields


def look(ask: Ask, version: str | None) -> Today:
    """Read what a document of a version is compared with. Raises `UpstreamError`."""
    # The first system has no roles of its own: what stands in a policy is one.
    roles = [] if version == "1" else list(_roles(_asked(ask, "/roles", "roles", list)))
    known = None if version == "1" else _known(ask)
    app = _asked(ask, "/app", "app", dict)
    types = _asked(ask, "/channeltypes", "channel_types", dict)
    return Today(
        frozenset(name for name, _ in roles),
        tuple(name for name, is_custom in roles if is_custom),
        grants.of_stream(app.get("grants")),
        {name: one for name, one in types.items() if isinstance(one, dict)},
        str(app.get("permission_version", "")).removeprefix("v"),
        known,
    )


def _asked(ask: Ask, path: str, field: str, kind: type) -> Any:
    request = Request("GET", path)
    found: Reply = reply_to(ask, request)
    value = None if found.document is None else found.document.get(field)

    if not isinstance(value, kind):
        raise Unreadable(f"Stream's answer to GET {path} has no {field}.", kind="unreadable")

    return value


def _known(ask: Ask) -> frozenset[str] | None:
    # It is asked to say more about the document, and nothing hangs on it.
    try:
        given = _asked(ask, "/permissions", "permissions", list)
    except (Refused, Unreadable):
        return None

    found = frozenset(
        one["id"] for one in given if isinstance(one, dict) and isinstance(one.get("id"), str)
    )
    return found or None


def _roles(given: list[Any]) -> Iterator[tuple[str, bool]]:
    for one in given:
        if isinstance(one, dict) and isinstance(one.get("name"), str):
            yield one["name"], one.get("custom") is True


def _name_of(command: Any) -> Any:
    # They are read as objects and written as names.
    return command.get("name") if isinstance(command, dict) else command
