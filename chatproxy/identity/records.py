"""What the directory's stores take and return. Times are epoch seconds.

Nothing here imports the database library: views and providers name these records, and
a sidecar whose providers keep no users never loads SQLAlchemy.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from chatproxy.errors import MalformedBody

#: The app that the first migration makes.
DEFAULT_APP = "default"

#: Bytes that the custom metadata of one user may have. Merging lets it grow.
LARGEST_CUSTOM = 64 * 1024

Kind = Literal["platform", "client"]
Action = Literal["created", "updated", "existing"]
Field = Literal["external_id", "name", "image", "email"]
Operator = Literal["in", "holds", "begins"]


@dataclasses.dataclass(frozen=True)
class App:
    """A tenant, with users and keys of its own."""

    id: str
    name: str
    created: float


@dataclasses.dataclass(frozen=True)
class Key:
    """What is known of an API key.

    `life` is how many seconds it was made for. A rotation shortens only `expires`, so
    that the successor of a successor still gets the whole life.
    """

    id: str
    app_id: str
    name: str
    kind: Kind
    imported: bool
    created: float
    life: float | None
    expires: float | None
    revoked: float | None
    last_used: float | None

    def is_good(self, now: float) -> bool:
        """Say whether the key is in force."""
        return self.revoked is None and (self.expires is None or now < self.expires)


@dataclasses.dataclass(frozen=True)
class MadeKey:
    """A key that was just made: the only moment at which its text is known."""

    key: Key
    text: str = dataclasses.field(repr=False)

    def parts(self) -> dict[str, str]:
        """Return what its owner has to write down."""
        if self.key.kind == "client":
            return {"clientKey": self.text}

        key_id, _, secret = self.text.partition(".")
        return {"keyId": key_id, "keySecret": secret, "apiKey": self.text}


@dataclasses.dataclass(frozen=True)
class Profile:
    """What a caller says about a user. None leaves a field as it is; `custom` is merged."""

    name: str | None = None
    image: str | None = None
    email: str | None = None
    custom: Mapping[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class User:
    """What is known of a user. `id` is ours, `external_id` is the caller's."""

    id: str
    app_id: str
    external_id: str
    name: str | None
    image: str | None
    email: str | None
    custom: Mapping[str, Any]
    active: bool
    token_version: int
    tokens_valid_after: float | None
    created: float
    updated: float
    last_seen: float | None
    app_version: int

    @property
    def version(self) -> int:
        """The version for tokens made now. Revoking the user's or the app's tokens changes it.

        Both counts only go up, so their sum never returns to an earlier value.
        """
        return self.app_version + self.token_version


def changed_fields(user: User, profile: Profile) -> dict[str, Any]:
    """Return the fields of the user that the profile would change, with their new values."""
    given = {"name": profile.name, "image": profile.image, "email": profile.email}
    changes: dict[str, Any] = {
        field: value
        for field, value in given.items()
        if value is not None and value != getattr(user, field)
    }

    if profile.custom:
        merged = {**user.custom, **profile.custom}

        # Compared as JSON: for Python 1, 1.0 and True are equal, for a client they are not.
        if json.dumps(merged, sort_keys=True) != json.dumps(user.custom, sort_keys=True):
            changes["custom"] = merged

    return changes


def as_columns(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return changed fields as they are stored; raise `MalformedBody` for too much metadata."""
    columns = dict(changes)

    if "custom" in columns:
        columns["custom"] = json.dumps(columns["custom"], ensure_ascii=False)

        if len(columns["custom"].encode()) > LARGEST_CUSTOM:
            raise MalformedBody(f"custom: more than {LARGEST_CUSTOM} bytes in all")

    return columns


@dataclasses.dataclass(frozen=True)
class Condition:
    """What a user's field must be: one of the values, or a text that holds or begins with one."""

    field: Field
    operator: Operator
    values: Sequence[str]
    any_case: bool = False


@dataclasses.dataclass(frozen=True)
class Agent:
    """A bot of an app."""

    app_id: str
    id: str
    name: str
    active: bool
    created: float
    updated: float


@dataclasses.dataclass(frozen=True)
class Badge:
    """The unread counts of one client, by source."""

    client_id: str
    counts: Mapping[str, int]

    @property
    def total(self) -> int:
        """The sum. All counts come from one statement, so no write falls in between."""
        return sum(self.counts.values())
