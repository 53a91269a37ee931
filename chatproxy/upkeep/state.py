"""How far the documents are: what the workers tell each other."""

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Protocol

BEGUN = "being put in force"


class Baton(Protocol):
    """Which process does it, and how far it is; see `server.baton`."""

    def take(self) -> bool:
        """Take it, unless another process has it."""
        ...

    def give(self) -> None:
        """Give it up."""
        ...

    def post(self, content: bytes) -> None:
        """Post how far the work is."""
        ...

    def posted(self) -> bytes:
        """Return the last post, empty before the first."""
        ...


@dataclasses.dataclass(frozen=True)
class State:
    """How far one provider's document is. `again` is when to try again, of the monotonic clock.

    `fault` is why it is not in force, empty where it is; `tries` have failed in a row.
    """

    digest: str = ""
    fault: str = ""
    tries: int = 0
    again: float = 0.0

    def is_in_force(self, digest: str) -> bool:
        """Say whether nothing is left to do for a document."""
        return self.digest == digest and not self.fault

    def told(self, digest: str, now: float) -> str:
        """Return what an operator should know of a document, empty where it is in force."""
        if self.is_in_force(digest):
            return ""

        if self.digest != digest or not self.tries:
            return BEGUN

        seconds = max(0, math.ceil(self.again - now))
        times = "once" if self.tries == 1 else f"{self.tries} times"
        return f"not in force: {self.fault} Tried {times}, again in {seconds} s."

    def is_due(self, digest: str, now: float) -> bool:
        """Say whether a document has to be tried now."""
        return self.digest != digest or (bool(self.fault) and now >= self.again)


def read(posted: bytes) -> dict[str, State]:
    """Return the states by provider, as they were posted."""
    return {name: State(**one) for name, one in json.loads(posted or b"{}").items()}


def written(states: Mapping[str, State]) -> bytes:
    """Return what is posted."""
    return json.dumps({name: dataclasses.asdict(one) for name, one in states.items()}).encode()
