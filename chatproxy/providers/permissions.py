"""Permissions at a provider that follow a document: looked at, compared, and written.

What a provider's document says, and by which calls it gets there, is its own matter. How it is
gone about is the same: read what is there, write what differs, and look again.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from chatproxy.errors import UpstreamError

#: Looks at what there is: first of all, after something was made that has more to it, and at last.
MOST_LOOKS = 3


class Request(NamedTuple):
    """A call to the provider, as far as it is about permissions. `body` becomes JSON."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None

    def content(self) -> bytes | None:
        """Return the body's bytes."""
        return None if self.body is None else json.dumps(self.body).encode()


class Reply(NamedTuple):
    """What the provider answered: `document` is None where it is no JSON object.

    `wait` is how many seconds it asks to be left alone.
    """

    status: int
    document: Mapping[str, Any] | None
    wait: float | None = None


class Write(NamedTuple):
    """A call that changes something, and each change in words."""

    request: Request
    changes: tuple[str, ...]


class Plan(NamedTuple):
    """What has to be written. `faults` are what the document asks for and no call does."""

    writes: tuple[Write, ...] = ()
    faults: tuple[str, ...] = ()


class Unanswered(UpstreamError):
    """The provider does not do what it is asked just now. `wait` as in `Reply`."""

    def __init__(self, message: str, *, kind: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.wait = wait


class Refused(UpstreamError):
    """The provider takes this one write not, however often it is asked.

    `detail` has the provider's own words.
    """


Ask = Callable[[Request], Reply]


class Permissions(Protocol):
    """A document, and what it needs of the provider to be in force."""

    @property
    def digest(self) -> str:
        """What tells it from another document."""
        ...

    def plan(self, ask: Ask) -> Plan:
        """Read what there is, and compare. Raises `UpstreamError`."""
        ...

    def write(self, ask: Ask, write: Write) -> None:
        """Write. Raises `Refused`, and any other `UpstreamError` where the rest has to wait."""
        ...


class Fault(NamedTuple):
    """Why a document is not in force as a whole. `detail` is for the log, as that of an error."""

    message: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.message} ({self.detail})" if self.detail else self.message


class Done(NamedTuple):
    """What became of a document."""

    writes: int
    faults: tuple[Fault, ...] = ()


def put_in_force(
    permissions: Permissions,
    ask: Ask,
    told: Callable[[Write], None] = lambda _: None,
    goes_on: Callable[[], bool] = lambda: True,
) -> Done | None:
    """Write what differs, and look again until nothing does. None if it is not to go on.

    One write that is refused holds up no other one. Raises `UpstreamError` where the provider
    cannot be asked; what is written by then stays, and the next time begins with a look.
    """
    refused: dict[str, Fault] = {}
    writes = 0

    for look in range(1, MOST_LOOKS + 1):
        plan = permissions.plan(ask)
        fresh = [one for one in plan.writes if _key(one) not in refused]
        faults = [Fault(one) for one in plan.faults]
        faults += [refused[key] for key in map(_key, plan.writes) if key in refused]

        if not fresh:
            break

        if look == MOST_LOOKS:
            left = ", ".join(change for one in fresh for change in one.changes)
            faults.append(Fault(f"The provider took it, and it is still not so: {left}."))
            break

        for one in fresh:
            if not goes_on():
                return None

            try:
                permissions.write(ask, one)
            except Refused as error:
                refused[_key(one)] = Fault(error.message, error.detail)
            else:
                writes += 1
                told(one)

    return Done(writes, tuple(faults))


def _key(write: Write) -> str:
    return json.dumps(write.request)
