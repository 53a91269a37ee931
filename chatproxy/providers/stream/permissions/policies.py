"""The first system: for each type of channels a list of policies, as the document writes them.

The document may leave out `resources`, `roles`, `owner` and `action`. Stream needs all six fields
(OpenAPI, `PolicyRequest`).
"""

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from chatproxy.formats.json_lines import Place
from chatproxy.formats.storable import is_storable
from chatproxy.providers.stream.permissions import names
from chatproxy.providers.stream.permissions.names import ANY
from chatproxy.settings.slips import is_slip

#: As the document writes it, and as Stream does.
ACTIONS = {"allow": "Allow", "deny": "Deny", "Allow": "Allow", "Deny": "Deny"}
LOWEST, HIGHEST = 1, 999

Fault = tuple[Place, str]


class Policy(NamedTuple):
    """Who may do what, and in which order it is asked. Lists are sorted: their order says nothing.

    `action` is Stream's spelling. Policies are compared from the highest priority on.
    """

    name: str
    resources: tuple[str, ...]
    roles: tuple[str, ...]
    owner: bool
    action: str
    priority: int

    def document(self) -> dict[str, Any]:
        """Return it as Stream takes it."""
        fields = self._asdict()
        return fields | {"resources": list(self.resources), "roles": list(self.roles)}


@dataclasses.dataclass
class _Reader:
    """Reads one policy, and notes what is wrong with it."""

    place: Place
    given: Mapping[str, Any]
    faults: list[Fault]

    def fault(self, field: str, text: str, *inner: str | int) -> None:
        self.faults.append(((*self.place, field, *inner), text))

    def name(self) -> str:
        found = self.given.get("name")

        if found is None:
            self.fault("name", "is missing")
        elif not isinstance(found, str) or not found.strip() or not is_storable(found):
            self.fault("name", "must be a text that is not empty")
        elif len(found) > names.LONGEST_NAME:
            self.fault("name", f"is longer than {names.LONGEST_NAME} characters")

        return str(found)

    def texts(self, field: str) -> tuple[str, ...]:
        found = self.given.get(field, [ANY])

        if not isinstance(found, list):
            self.fault(field, "must be a list of texts")
            return ()

        if not found:
            self.fault(field, "is empty: leave it out, and it means any")

        for at, one in enumerate(found):
            if not isinstance(one, str):
                self.fault(field, "must be text", at)
            elif one in found[:at]:
                self.fault(field, f"{_shown(one)} is there twice", at)
            elif text := (_fault_in_resource if field == "resources" else _fault_in_role)(one):
                self.fault(field, f"{_shown(one)} {text}", at)

        return tuple(sorted(one for one in found if isinstance(one, str)))

    def owner(self) -> bool:
        found = self.given.get("owner", False)

        if not isinstance(found, bool):
            self.fault("owner", "must be true or false")

        return found is True

    def action(self) -> str:
        found = self.given.get("action", "allow")

        if not isinstance(found, str) or found not in ACTIONS:
            self.fault("action", "must be allow or deny")
            return ACTIONS["allow"]

        return ACTIONS[found]

    def priority(self) -> int:
        found = self.given.get("priority")

        if found is None:
            self.fault("priority", f"is missing: a whole number from {LOWEST} to {HIGHEST}")
        elif type(found) is not int or not LOWEST <= found <= HIGHEST:
            self.fault("priority", f"must be a whole number from {LOWEST} to {HIGHEST}")
        else:
            return found

        return LOWEST


def read(place: Place, given: Any, faults: list[Fault]) -> tuple[Policy, ...]:
    """Read the list of one type; append what is wrong with it to `faults`."""
    found: list[Policy] = []

    for at, one in enumerate(given):
        inner = (*place, at)

        if not isinstance(one, dict):
            faults.append((inner, "must be an object: a policy"))
            continue

        faults.extend(((*inner, name), text) for name, text in _unknown(one))
        reader = _Reader(inner, one, faults)
        found.append(
            Policy(
                reader.name(),
                reader.texts("resources"),
                reader.texts("roles"),
                reader.owner(),
                reader.action(),
                reader.priority(),
            )
        )

    return ordered(found)


def ordered(policies: list[Policy]) -> tuple[Policy, ...]:
    """Return policies in the order in which Stream asks them."""
    return tuple(sorted(policies, key=lambda one: (-one.priority, one)))


def of_stream(given: Any) -> tuple[Policy, ...] | None:
    """Read Stream's own list of one type; None where it is none that is known here."""
    try:
        return ordered(
            [
                Policy(
                    _text(one["name"]),
                    _texts(one["resources"]),
                    _texts(one["roles"]),
                    bool(one["owner"]),
                    ACTIONS[one["action"]],
                    int(one["priority"]),
                )
                for one in given or ()
            ]
        )
    except (KeyError, TypeError, ValueError):
        return None


def _texts(given: Any) -> tuple[str, ...]:
    if not isinstance(given, list):
        raise TypeError

    return tuple(sorted(map(_text, given)))


def _text(given: Any) -> str:
    if not isinstance(given, str):
        raise TypeError

    return given


def _unknown(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    known = ", ".join(Policy._fields)
    return ((one, f"is not known. Known are {known}") for one in given if one not in Policy._fields)


def _fault_in_resource(text: str) -> str:
    if text == ANY or text in names.RESOURCES:
        return ""

    if text == "AnyResource":
        return f"is written {ANY}, or left out"

    meant = next((one for one in sorted(names.RESOURCES) if _is_meant(text, one)), None)
    return "is no resource of Stream" + (f": is it meant to be {meant}?" if meant else "")


def _is_meant(text: str, resource: str) -> bool:
    squeezed = text.replace("-", "").replace("_", "").lower()
    return is_slip(squeezed, resource.lower())


def _fault_in_role(text: str) -> str:
    return f"is written {ANY}, or left out" if text == "AnyRole" else names.fault_in_role(text)


def _shown(text: str) -> str:
    # A role may be anything, and the fault comes into the log.
    cut = text[: names.LONGEST_ROLE]
    return (cut if cut.isprintable() else ascii(cut)) or '""'
