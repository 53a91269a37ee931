"""Reading the permissions document: what it says, or everything that is wrong with it.

Which system it is for shows in its form. Version 1 has lists of policies by type of channels,
version 2 has objects with lists of permissions by role, and the scope `app` beside the types.
"""

import dataclasses
import functools
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from chatproxy.formats import json_document
from chatproxy.formats.json_document import DocumentError
from chatproxy.formats.json_lines import Place
from chatproxy.providers.stream.permissions import grants, names, policies
from chatproxy.providers.stream.permissions.grants import Granted
from chatproxy.providers.stream.permissions.policies import Policy

Version = Literal["1", "2"]

SHAPES: Mapping[str, str] = {
    "1": '{"messaging": [{"name": "…", "priority": 100}]}',
    "2": '{"app": {"user": ["search-user"]}, "messaging": {"user": ["create-channel"]}}',
}
#: Roles of its own that Stream allows an application, unless it agrees to more.
USUAL_ROLES = 25


@dataclasses.dataclass(frozen=True)
class Document:
    """What the document says. `version` is None where it says nothing.

    `policies` are those of version 1 by type of channels, `app` and `grants` those of version 2 by
    role, and by type and role.
    """

    version: Version | None
    policies: Mapping[str, tuple[Policy, ...]] = dataclasses.field(default_factory=dict)
    app: Mapping[str, Granted] = dataclasses.field(default_factory=dict)
    grants: Mapping[str, Mapping[str, Granted]] = dataclasses.field(default_factory=dict)

    @property
    def roles(self) -> list[str]:
        """The roles of version 2 that an application does not have by itself, each once."""
        scopes = (self.app, *self.grants.values())
        named = dict.fromkeys(role for scope in scopes for role in scope)
        return [role for role in named if role not in names.BUILT_IN_ROLES]


class FaultyDocument(DocumentError):
    """It has faults. `version` is the one that it looks like."""

    def __init__(self, version: Version | None, *faults: str) -> None:
        super().__init__(*faults)
        self.version = version


@functools.lru_cache(maxsize=2)
def parse(content: bytes) -> Document:
    """Return what a document says; raise `DocumentError` with every fault."""
    given = json_document.read(content)

    if not isinstance(given, dict):
        raise DocumentError(
            f"the document must be an object, for version 1 such as {SHAPES['1']}, for version 2 "
            f"such as {SHAPES['2']}"
        )

    version = _version_of(given)
    faults = list(_wrong_types(given, version))
    found = Document(version)

    if version == "1":
        lists = {name: one for name, one in given.items() if isinstance(one, list)}
        found = Document(
            version, {name: policies.read((name,), one, faults) for name, one in lists.items()}
        )
    elif version == "2":
        scopes = {
            name: grants.read((name,), one, faults)
            for name, one in given.items()
            if isinstance(one, dict)
        }
        found = Document(version, app=scopes.pop(names.APP, {}), grants=scopes)

    if faults:
        raise FaultyDocument(version, *json_document.located(content, faults))

    return found


def problems(content: bytes, version: str | None) -> Iterator[str]:
    """Yield what is wrong with a document for a version; for None, with the document by itself."""
    found: Version | None = None

    try:
        found = parse(content).version
    except FaultyDocument as error:
        found = error.version
        yield from (f"cannot be used: {fault}." for fault in error.faults)
    except DocumentError as error:
        yield from (f"cannot be used: {fault}." for fault in error.faults)

    if version is not None and found not in (None, version):
        holds = "lists of policies" if found == "1" else "objects of roles"
        yield (
            f"cannot be used: it is written for version {found} (its channel types hold {holds}), "
            f"and PERMISSIONS_VERSION is {version}. Set that to {found}, or write the document as "
            f"version {version} has it, such as {SHAPES[version]}."
        )


def warnings(found: Document) -> Iterator[str]:
    """Yield what somebody may not have meant."""
    for name, scope in ((names.APP, found.app), *found.grants.items()):
        for role, one, meant in grants.slips(scope):
            yield f"{name}.{role}: {one} may be a slip: is it meant to be {meant}?"

    if len(found.roles) > USUAL_ROLES:
        yield (
            f"it names {len(found.roles)} roles beside the built-in ones. Stream allows an "
            f"application {USUAL_ROLES}, unless it has agreed to more"
        )


def _version_of(given: Mapping[str, Any]) -> Version | None:
    # What most of it looks like: then the rest is wrong, and is told as such.
    lists = sum(isinstance(one, list) for one in given.values())
    objects = sum(isinstance(one, dict) for one in given.values())

    if not given:
        return None

    return "1" if lists > objects else "2"


def _wrong_types(given: Mapping[str, Any], version: Version | None) -> Iterator[tuple[Place, str]]:
    kind = list if version == "1" else dict
    wanted = "a list of policies" if version == "1" else "an object of roles"
    other = "an object" if version == "1" else "a list"

    for name, one in given.items():
        if (version == "1" or name != names.APP) and (text := names.fault_in_type(name)):
            yield (name,), text
        elif isinstance(one, list | dict) and not isinstance(one, kind):
            yield (name,), f"is {other}, as in the other version: the rest is of version {version}"
        elif not isinstance(one, kind):
            yield (name,), f"must be {wanted}"
