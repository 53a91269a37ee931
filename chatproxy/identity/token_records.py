"""What is asked and answered about user tokens. Times are epoch seconds.

A signed token carries its own claims; an opaque one is a text that the directory looks
up. As in `records`, nothing here imports the database library.
"""

import dataclasses
import re
import secrets

from chatproxy.identity.records import User

#: What stands before the hyphen is the version: see `revocation`.
TOKEN_ID = re.compile(r"([0-9]{1,9})-[0-9a-f]{32}")


@dataclasses.dataclass(frozen=True)
class Issued:
    """What a signed token says about its issue. `token_id` is None where it has no id.

    `user_id` is the caller's id, or ours where `by_our_id` is set. `counted` is the version where a
    claim of its own has it, `family` the id that a token shares with all that were made in its
    place.
    """

    app_id: str
    user_id: str
    token_id: str | None
    issued: float
    expires: float
    by_our_id: bool = False
    counted: int | None = None
    family: str | None = None

    @property
    def version(self) -> int | None:
        """The version that the token was made for, None for a token that was not made here."""
        if self.counted is not None:
            return self.counted

        ours = TOKEN_ID.fullmatch(self.token_id or "")
        return int(ours[1]) if ours else None


def new_token_id(version: int) -> str:
    """Make the id of a new token, for a user of this version."""
    return f"{version}-{secrets.token_hex(16)}"


@dataclasses.dataclass(frozen=True)
class Standing:
    """The answer for a valid token: its user, None where the directory does not know one.

    `version` is what a token made in its place has to carry.
    """

    user: User | None
    version: int


@dataclasses.dataclass(frozen=True)
class OpaqueToken:
    """A token that says nothing by itself: valid only while it is bound to a user.

    `name` is the id in a token that was made here, None for a text that a caller chose.
    """

    text: str = dataclasses.field(repr=False)
    expires: float
    name: str | None = None


@dataclasses.dataclass(frozen=True)
class Binding:
    """A valid opaque token's user and end; the text itself is not kept, only its digest."""

    user: User
    digest: str
    expires: float
