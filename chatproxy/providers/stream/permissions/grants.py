"""The second system: permissions that roles are granted, as the document writes them.

`!` in front of a permission takes it away. Stream has that for single channels only, so it is done
here: see decision 0050.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from chatproxy.formats.json_lines import Place
from chatproxy.providers.stream.permissions import names
from chatproxy.settings.slips import is_slip

Fault = tuple[Place, str]

REVOKES = "!"

KNOWN = frozenset(map(names.permission_of, names.ACTIONS))


class Granted(NamedTuple):
    """What the document says of one role: all that it is granted, or what is given and taken.

    With something in `taken` the rest stays as it is; without, `given` is all.
    """

    given: tuple[str, ...]
    taken: tuple[str, ...] = ()

    def after(self, today: Sequence[str]) -> list[str]:
        """Return what the role is granted once the document is in force."""
        if not self.taken:
            return list(self.given)

        kept = [one for one in dict.fromkeys(today) if one not in self.taken]
        return kept + [one for one in self.given if one not in kept]


def read(place: Place, given: Mapping[str, Any], faults: list[Fault]) -> dict[str, Granted]:
    """Read one scope, by role; append what is wrong with it to `faults`."""
    found: dict[str, Granted] = {}

    for role, listed in given.items():
        inner = (*place, role)

        if text := fault_in_role(role):
            faults.append((inner, text))

        if not isinstance(listed, list):
            faults.append((inner, "must be a list of permissions"))
            continue

        faults.extend(((*inner, at), text) for at, text in _faults(listed))
        texts = [one for one in listed if isinstance(one, str)]
        found[role] = Granted(
            tuple(one for one in texts if not one.startswith(REVOKES)),
            tuple(one.removeprefix(REVOKES) for one in texts if one.startswith(REVOKES)),
        )

    return found


def of_stream(given: Any) -> dict[str, list[str]]:
    """Read one of Stream's own scopes; what is none is left out."""
    return {
        role: list(dict.fromkeys(one for one in listed if isinstance(one, str)))
        for role, listed in (given.items() if isinstance(given, dict) else ())
        if isinstance(role, str) and isinstance(listed, list)
    }


def slips(scope: Mapping[str, Granted]) -> Iterator[tuple[str, str, str]]:
    """Yield (role, permission, meant) for each that is one slip away from a known one."""
    for role, granted in scope.items():
        for one in (*granted.given, *granted.taken):
            if meant := _meant_by(one):
                yield role, one, meant


@functools.lru_cache(maxsize=1024)
def _meant_by(name: str) -> str | None:
    """Return the known permission that a name may be a slip of, None where it is one itself."""
    return None if name in KNOWN else next((one for one in KNOWN if is_slip(name, one)), None)


def fault_in_role(role: str) -> str:
    """Return why a role cannot be granted something; empty where it may."""
    if role == names.ANY:
        return f"is no role: {names.ANY} stands for any in version 1 only"

    return names.fault_in_role(role)


def _faults(listed: Sequence[Any]) -> Iterator[tuple[int, str]]:
    seen: set[str] = set()

    for at, one in enumerate(listed):
        if not isinstance(one, str):
            yield at, "must be text"
            continue

        name = one.removeprefix(REVOKES)

        if text := fault_in_permission(name, revokes=name != one):
            yield at, text
        elif one in seen:
            yield at, f"{one} is there twice"
        elif {name, REVOKES + name} & seen:
            yield at, f"{name} is granted and taken away"

        seen.add(one)


def fault_in_permission(name: str, *, revokes: bool = False) -> str:
    """Return why there can be no permission of this name; empty where there may be one."""
    if not name:
        return "takes nothing away: say what, as in !ban-user" if revokes else "is empty"

    if name in names.RESOURCES:
        return f"{name} is a resource of version 1: write {names.permission_of(name)}"

    if len(name) > names.LONGEST_NAME:
        return f"is longer than {names.LONGEST_NAME} characters"

    if not names.PERMISSION.fullmatch(name):
        return "is no name of a permission, such as create-message"

    return ""
