"""What there is at Stream, as a document that changes nothing."""

from typing import Any

from chatproxy.providers.stream.permissions import grants, names
from chatproxy.providers.stream.permissions import policies as of_policies
from chatproxy.providers.stream.permissions.today import Today


def export(today: Today, version: str) -> dict[str, Any]:
    """Return a document of a version. What it could not hold is left out of it."""
    types = [name for name in sorted(today.types) if not names.fault_in_type(name)]

    if version == "1":
        return {name: _policies(today, name) for name in types}

    # Those without a grant as well: the document names the roles that there have to be.
    custom: dict[str, list[str]] = {role: [] for role in today.custom_roles}
    return {names.APP: _sorted({**custom, **today.app})} | {
        name: _sorted(today.grants_of(name)) for name in types
    }


def _policies(today: Today, name: str) -> list[dict[str, Any]]:
    found = of_policies.of_stream(today.types[name].get("permissions")) or ()
    return [one.document() | {"action": one.action.lower()} for one in found]


def _sorted(scope: dict[str, list[str]]) -> dict[str, list[str]]:
    return {
        role: sorted(granted)
        for role, granted in sorted(scope.items())
        if not grants.fault_in_role(role) and not any(map(grants.fault_in_permission, granted))
    }
