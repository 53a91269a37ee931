"""Headers that a provider must never be sent: who calls it through us would be exposed."""

from typing import NamedTuple

from sandbox.wire import Head

PRIVATE = frozenset({"cookie", "cookie2", "forwarded", "proxy-authorization", "via", "x-real-ip"})
PRIVATE_PREFIX = "x-forwarded"


class Leaks(NamedTuple):
    """What one provider's server must not see.

    `once` are credentials that may not come twice, `never` further names that may not come, `apart`
    a credential and those that must not come beside it.
    """

    once: tuple[str, ...]
    never: tuple[str, ...] = ()
    apart: tuple[str, tuple[str, ...]] = ("", ())

    def complaint(self, head: Head) -> str | None:
        """Say what should not have come.

        An underscore counts as a hyphen, because some servers take one for the other.
        """
        names = [name.decode("latin-1").lower().replace("_", "-") for name, _ in head.headers]
        for name in names:
            if name in PRIVATE.union(self.never) or name.startswith(PRIVATE_PREFIX):
                return f"{name} is not for a provider"

            if name in self.once and names.count(name) > 1:
                return f"{name} given more than once"

        alone, others = self.apart
        if alone in names and not set(names).isdisjoint(others):
            return f"{alone} beside another credential"

        return None
