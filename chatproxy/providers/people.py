"""What a provider is asked about one person, and what it answers."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

from chatproxy.formats.timestamps import iso
from chatproxy.forwarding.call import Call
from chatproxy.identity.records import Profile, User

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory


@dataclasses.dataclass(frozen=True)
class Reach:
    """What a provider needs to act for somebody.

    `directory` is there where the provider knows users. `ask` makes a call to a server, by its
    name, and returns the status and the start of the body; it raises `UpstreamError`. `servers`
    are those that can be asked. `now` is in epoch seconds.
    """

    directory: "Directory | None"
    ask: Callable[[str, Call], tuple[int, bytes]]
    servers: Collection[str]
    now: float


@dataclasses.dataclass(frozen=True)
class Person:
    """Somebody, with the same id at each provider, and what a caller says about them."""

    user_id: str
    profile: Profile = Profile()

    def known_in(self, directory: "Directory | None", app: str) -> User:
        """Make or change the person's row in the directory; raise `CallerError`."""
        assert directory is not None  # noqa: S101 - it is there where a provider knows users
        user, _ = directory.users.upsert(app, self.user_id, self.profile, seen=False)
        return user


@dataclasses.dataclass(frozen=True)
class Given:
    """What a client needs to be somebody.

    `texts` are the tokens by name, the first one first. `expires` is when all of them end, None if
    they do not. `connect` is what else it connects with; `path` in it is below the service prefix.
    """

    texts: Mapping[str, str] = dataclasses.field(repr=False)
    expires: float | None
    connect: Mapping[str, Any]


#: `unknown`: there is nobody with this id, who could have had a token.
End = Literal["ended", "unknown", "notEnded"]


@dataclasses.dataclass(frozen=True)
class Ended:
    """What became of somebody's tokens. `reason` says why not, `facts` say when, as JSON has it."""

    end: End = "ended"
    reason: str = ""
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def moments(**times: float | None) -> dict[str, str | None]:
    """Return times in epoch seconds as JSON has them."""
    return {name: iso(value) for name, value in times.items()}
