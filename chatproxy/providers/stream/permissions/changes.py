"""Changes, each as the call that makes it and in words."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from chatproxy.providers.permissions import Request, Write
from chatproxy.providers.stream.permissions import names
from chatproxy.providers.stream.permissions.policies import Policy

#: What a new type of channels needs beside its name. Its length is that of the built-in types, all
#: commands are what the official SDKs give it, and nothing is moderated that nobody has asked for.
NEW_TYPE: Mapping[str, Any] = {
    "max_message_length": 5000,
    "automod": "disabled",
    "automod_behavior": "flag",
    "commands": ["all"],
}

Grants = Mapping[str, Sequence[str]]


def new_role(name: str) -> Write:
    """Make a role."""
    return Write(Request("POST", "/roles", {"name": name}), (f"+ role {name}",))


def app_grants(wanted: Grants, today: Grants) -> Write:
    """Change what roles are granted in the application; others keep what they have."""
    request = Request("PATCH", "/app", {"grants": wanted})
    return Write(request, _told(names.APP, wanted, today))


def new_type(name: str, policies: Sequence[Policy] | None = None) -> Write:
    """Make a type of channels, with policies in the first system.

    In the second it begins with grants of Stream's choice, and is looked at again.
    """
    fields = {"name": name, **NEW_TYPE}

    if policies is None:
        told: tuple[str, ...] = (f"+ channel type {name}, then its grants",)
    else:
        fields["permissions"] = [one.document() for one in policies]
        told = (f"+ channel type {name}", *(f"{name}: + {_said(one)}" for one in policies))

    return Write(Request("POST", "/channeltypes", fields), told)


def type_grants(name: str, sent_back: Mapping[str, Any], wanted: Grants, today: Grants) -> Write:
    """Change what roles are granted in a type of channels; others keep what they have."""
    return Write(_put(name, {**sent_back, "grants": wanted}), _told(name, wanted, today))


def type_policies(
    name: str,
    sent_back: Mapping[str, Any],
    wanted: Sequence[Policy],
    today: Sequence[Policy] | None,
) -> Write:
    """Replace the policies of a type of channels."""
    gone = [one for one in today or () if one not in wanted]
    come = [one for one in wanted if one not in (today or ())]
    told = [f"{name}: - {_said(one)}" for one in gone] + [f"{name}: + {_said(one)}" for one in come]
    fields = {**sent_back, "permissions": [one.document() for one in wanted]}
    # One that is twice at Stream and once in the document differs in nothing that can be named.
    return Write(_put(name, fields), tuple(told) or (f"{name}: ~ its policies, in number",))


def _put(name: str, fields: Mapping[str, Any]) -> Request:
    return Request("PUT", f"/channeltypes/{quote(name, safe='')}", fields)


def _told(scope: str, wanted: Grants, today: Grants) -> tuple[str, ...]:
    return tuple(
        f"{scope}: {role}: {', '.join(_differences(granted, today.get(role, ())))}"
        for role, granted in wanted.items()
    )


def _differences(wanted: Sequence[str], today: Sequence[str]) -> list[str]:
    come = [f"+ {one}" for one in wanted if one not in today]
    return come + [f"- {one}" for one in today if one not in wanted]


def _said(one: Policy) -> str:
    whose = " their own" if one.owner else ""
    what, who = ", ".join(one.resources), ", ".join(one.roles)
    return f'"{one.name}" ({one.priority}): {one.action} {what} to {who}{whose}'
