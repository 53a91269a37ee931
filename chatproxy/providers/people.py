"""What a provider is asked about one person, and what it answers."""

import dataclasses
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Literal

from chatproxy.formats.timestamps import iso
from chatproxy.forwarding.call import Call

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
