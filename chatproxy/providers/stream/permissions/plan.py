"""What has to be changed for a document to be in force. Nothing is asked or written here."""

from collections.abc import Iterator, Mapping, Sequence

from chatproxy.providers.permissions import Plan, Write
from chatproxy.providers.stream.permissions import changes, names
from chatproxy.providers.stream.permissions import policies as of_policies
from chatproxy.providers.stream.permissions.document import Document
from chatproxy.providers.stream.permissions.grants import Granted
from chatproxy.providers.stream.permissions.today import Today


def plan(document: Document, today: Today, *, creates_types: bool) -> Plan:
    """Return what to write, in order; nothing where nothing differs.

    What the document does not name stays as it is. Roles come first: a grant needs its role.
    `creates_types` is for the second system; the first one makes those that are missing.
    """
    if document.version == "1":
        return Plan(tuple(_policies(document, today)))

    missing = [name for name in document.grants if name not in today.types]
    faults = [] if creates_types else [*map(_missing, missing)]
    writes = tuple(_grants(document, today, creates_types=creates_types))
    return Plan(writes, (*faults, *_unknown(document, today)))


def _grants(document: Document, today: Today, *, creates_types: bool) -> Iterator[Write]:
    yield from (changes.new_role(role) for role in document.roles if role not in today.roles)

    if wanted := _differing(document.app, today.app):
        yield changes.app_grants(wanted, today.app)

    for name, scope in document.grants.items():
        if name in today.types:
            granted = today.grants_of(name)

            if wanted := _differing(scope, granted):
                yield changes.type_grants(name, today.sent_back(name), wanted, granted)
        elif creates_types:
            yield changes.new_type(name)


def _policies(document: Document, today: Today) -> Iterator[Write]:
    for name, wanted in document.policies.items():
        if name not in today.types:
            yield changes.new_type(name, wanted)
            continue

        found = of_policies.of_stream(today.types[name].get("permissions"))

        if found != wanted:
            yield changes.type_policies(name, today.sent_back(name), wanted, found)


def _differing(
    scope: Mapping[str, Granted], today: Mapping[str, Sequence[str]]
) -> dict[str, list[str]]:
    # As sets: no system says that their order means something.
    after = {role: granted.after(today.get(role, ())) for role, granted in scope.items()}
    return {role: one for role, one in after.items() if set(one) != set(today.get(role, ()))}


def _unknown(document: Document, today: Today) -> Iterator[str]:
    """Say which permissions Stream does not have: one that is taken away would not be noticed."""
    if today.known is None:
        return

    for name, scope in ((names.APP, document.app), *document.grants.items()):
        for role, granted in scope.items():
            for one in (*granted.given, *granted.taken):
                if one not in today.known:
                    yield f"{name}.{role}: Stream has no permission {one}."


def _missing(name: str) -> str:
    return (
        f"There is no channel type {name} at Stream. Make it there, or set "
        "PERMISSIONS_CREATE_TYPES=true."
    )
