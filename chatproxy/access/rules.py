"""What a caller may do, and whether a call is within it."""

import dataclasses
import functools
import hmac
from collections.abc import Mapping, Sequence

from chatproxy.access.keys import ANY_KEY, LONGEST, digest_of
from chatproxy.access.patterns import EndpointPattern, PathPattern, Segments, Users, readings
from chatproxy.formats.rates import Rate

#: Those that are forwarded.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """Whether a call is allowed, and the place in the document that says so, or why it is not."""

    allowed: bool
    reason: str
    rule: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Rule:
    """Methods and paths of calls that may be forwarded to some providers."""

    providers: frozenset[str]
    methods: frozenset[str]
    paths: tuple[PathPattern, ...]

    @property
    def is_any(self) -> bool:
        """Whether it allows whatever may be sent to its providers."""
        return self.methods.issuperset(METHODS) and any(one.is_any for one in self.paths)

    def fitting(self, methods: Sequence[str], ways: Sequence[Segments], users: Users) -> int | None:
        """Return the number of the path that allows a call, None if there is none."""
        if not self.methods.issuperset(methods):
            return None

        return next(
            (
                number
                for number, one in enumerate(self.paths)
                if all(one.fits(way, users) for way in ways)
            ),
            None,
        )


@dataclasses.dataclass(frozen=True)
class Caller:
    """One caller of the document. `rate` is the limit of its own."""

    name: str
    digests: tuple[bytes, ...] = dataclasses.field(repr=False)
    providers: frozenset[str] = frozenset()
    rules: tuple[Rule, ...] = ()
    endpoints: tuple[EndpointPattern, ...] = ()
    users: Users = Users()
    rate: Rate | None = None

    def may_forward(
        self, provider: str, methods: Sequence[str], path: str, named: Sequence[str] = ()
    ) -> Decision:
        """Decide about a call to be forwarded.

        `methods` are those that a server could take it for, `path` is the raw one below the
        provider's base URL, `named` are the users that the call names outside of the path.
        """
        if provider not in self.providers:
            return Decision(False, f"{provider} is not among its providers")

        ways = readings(path)

        if not ways:
            return Decision(False, "the path holds a dot segment")

        for number, rule in enumerate(self.rules):
            if provider not in rule.providers:
                continue

            if (found := rule.fitting(methods, ways, self.users)) is not None:
                place = f"callers.{self.name}.calls.{number}"

                if not all(map(self.users.have, named)):
                    return Decision(False, "a user in the call is not among its users", place)

                return Decision(True, f"{place}: {rule.paths[found].text}", place)

        return Decision(False, f"none of its calls is {methods[0]} of this path at {provider}")

    def may_use(self, provider: str, method: str, endpoint: Segments) -> Decision:
        """Decide about an endpoint of the sidecar's own; `provider` is empty for one of none."""
        if provider and provider not in self.providers:
            return Decision(False, f"{provider} is not among its providers")

        for number, one in enumerate(self.endpoints):
            if one.covers(method, endpoint):
                place = f"callers.{self.name}.endpoints.{number}"
                return Decision(True, f"{place}: {one.text}", place)

        return Decision(False, f"none of its endpoints is {method} /{'/'.join(endpoint)}")


@dataclasses.dataclass(frozen=True)
class Access:
    """The whole document."""

    callers: Mapping[str, Caller]

    @functools.cached_property
    def _keys(self) -> list[tuple[bytes, Caller]]:
        return [(digest, one) for one in self.callers.values() for digest in one.digests]

    def caller_of(self, key: str) -> Caller | None:
        """Return whose key it is, None if it is nobody's."""
        shown = digest_of(key[:LONGEST])
        found = None

        # All of them are looked at, each in constant time: how long it takes tells neither whose
        # key it is nor how much of it is right.
        for digest, caller in self._keys:
            if hmac.compare_digest(digest, shown):
                found = caller

        return found if len(key) <= LONGEST and ANY_KEY.fullmatch(key) else None
