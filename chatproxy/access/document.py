"""Reading the access document: what it says, or everything that is wrong with it."""

import dataclasses
import functools
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from marshmallow import Schema, ValidationError

from chatproxy.access import schema
from chatproxy.access.keys import ANY_KEY
from chatproxy.access.patterns import EndpointPattern, Users, segments_of
from chatproxy.access.rules import METHODS, Access, Caller, Rule
from chatproxy.formats import yaml_text

MOST_CALLERS = 1_000
#: Each call is compared with all keys.
MOST_KEYS = 2_000

#: Faults that are told; a document of the wrong kind has thousands.
MOST_FAULTS = 50

#: Digests of the keys that `configmap/access.yaml` names, which everybody knows.
PUBLISHED = frozenset(
    bytes.fromhex(one)
    for one in (
        "c304034ebfc8399228c73cbe0aa27db0bfb9151d15e5cb894841c80e21f9ffd0",
        "34f4b98344c6a418b56afcbfe145ddda00587cf860df970bfe339b200734d3be",
    )
)

Path = yaml_text.Path
#: Endpoints by the provider that they belong to, each as `METHOD /path`; under "" those of none.
Endpoints = Mapping[str, Collection[str]]


@dataclasses.dataclass(frozen=True)
class Read:
    """A document as it was read. With `faults` nothing of it is to be used."""

    access: Access
    faults: tuple[str, ...]
    _lines: yaml_text.Document | None = dataclasses.field(default=None, repr=False)

    def fault_at(self, place: Path, text: str) -> str:
        """Return the line about a fault."""
        line = 1 if self._lines is None else self._lines.line_of(place)
        return _said(line, place, text)

    def mismatches(
        self, known: Collection[str], on: Collection[str], endpoints: Endpoints
    ) -> Iterator[str]:
        """Yield a line for each thing that a sidecar with these providers cannot do."""
        for name, caller in self.access.callers.items():
            place = ("callers", name)
            lists: list[tuple[Path, frozenset[str]]] = [(place, caller.providers)]
            lists += [((*place, "calls", at), one.providers) for at, one in enumerate(caller.rules)]

            for where, providers in lists:
                for one in sorted(providers - set(on)):
                    reason = (
                        "is off: PROVIDERS does not name it, and nothing of it is set"
                        if one in known
                        else f"is not known. The providers are {', '.join(known)}"
                    )
                    yield self.fault_at((*where, "providers"), f"{one} {reason}")

            for at, pattern in enumerate(caller.endpoints):
                if fault := _nowhere(pattern, caller, on, endpoints):
                    yield self.fault_at((*place, "endpoints", at), f"{pattern.text} {fault}")

    def published_keys(self) -> Iterator[str]:
        """Yield a line for each key that everybody knows."""
        for name, caller in self.access.callers.items():
            for at, digest in enumerate(caller.digests):
                if digest in PUBLISHED:
                    place = ("callers", name, "keys", at)
                    yield self.fault_at(place, "is the digest of a sample key")


@functools.lru_cache(maxsize=2)
def read(content: bytes) -> Read:
    """Read the document."""
    try:
        found = yaml_text.read(content)
    except yaml_text.YamlError as error:
        return Read(Access({}), (ANY_KEY.sub("cpk_…", str(error)),))

    if found.value is None:
        return Read(Access({}), ("it is empty: name the callers below `callers`",))

    faults = [
        (place, f"is there twice, first in line {found.line_of(place)}", line)
        for place, line in found.repeated
    ]
    told = [_said(line, place, text) for place, text, line in faults]
    callers: dict[str, Caller] = {}

    for place, text in _read_callers(found.value, callers):
        told.append(_said(found.line_of(place), place, text))

    for place, text in _shared_keys(callers):
        told.append(_said(found.line_of(place), place, text))

    if len(told) > MOST_FAULTS:
        told = [*told[:MOST_FAULTS], f"and {len(told) - MOST_FAULTS} more"]

    return Read(Access(callers), tuple(told), found)


def problems(content: bytes) -> Iterator[str]:
    """Yield what is wrong with the document by itself."""
    yield from (f"cannot be used: {fault}." for fault in read(content).faults)


def warnings(access: Access) -> Iterator[str]:
    """Yield what somebody may not have meant."""
    for name, caller in access.callers.items():
        for at, rule in enumerate(caller.rules):
            if rule.is_any:
                providers = ", ".join(sorted(rule.providers))
                yield (
                    f"callers.{name}.calls.{at} allows every call to {providers}: "
                    f"{name} is an administrator there"
                )

        if any(not one.segments for one in caller.endpoints):
            yield f"callers.{name}.endpoints allows every endpoint of its providers"


def _read_callers(document: Any, callers: dict[str, Caller]) -> Iterator[tuple[Path, str]]:
    loaded, faults = _loaded(schema.DocumentSchema(), document, ())
    yield from faults
    named = loaded.get("callers")

    if not isinstance(named, dict):
        return

    if not named:
        yield ("callers",), "is empty: name at least one"

    if len(named) > MOST_CALLERS:
        yield ("callers",), f"has more than {MOST_CALLERS} callers"
        return

    checks = schema.CallerSchema()

    for name, one in named.items():
        place = ("callers", name)

        if not schema.NAME.fullmatch(name):
            yield place, f"must be {schema.NAMED}"

        fields, faults = _loaded(checks, one, place)
        yield from faults

        if not faults:
            yield from _slips(place, fields)

        callers[name] = _caller(name, fields)


def _loaded(
    checks: Schema, value: Any, place: Path
) -> tuple[dict[str, Any], list[tuple[Path, str]]]:
    try:
        return checks.load(value), []
    except ValidationError as error:
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        return dict(valid), list(_faults(error.messages, place, checks))


def _faults(messages: Any, place: Path, checks: Schema) -> Iterator[tuple[Path, str]]:
    # marshmallow nests its messages by name and index; `_schema` has those of a whole object.
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _faults(inner, place if name == "_schema" else (*place, name), checks)

        return

    for message in messages if isinstance(messages, list) else [messages]:
        text = str(message)

        if text == "Unknown field.":
            known = schema.RuleSchema if len(place) > 3 else type(checks)  # noqa: PLR2004
            text = f"is not known. Known are {', '.join(known().fields)}"

        yield place, text


def _slips(place: Path, found: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    if not found["keys"]:
        yield (*place, "keys"), "is empty: nobody could be this caller"

    providers = set(found.get("providers", ()))

    for at, rule in enumerate(found.get("calls", ())):
        inner = (*place, "calls", at)

        for name in ("methods", "paths"):
            if not rule[name]:
                yield (*inner, name), "is empty: the rule allows nothing"

        for one in rule.get("providers", ()):
            if one not in providers:
                yield (*inner, "providers"), f"{one} is not among the caller's providers"

    if found.get("calls") and not providers:
        yield (*place, "calls"), "is for no provider: name some in `providers`"


def _caller(name: str, found: Mapping[str, Any]) -> Caller:
    providers = frozenset(found.get("providers", ()))
    rules = tuple(
        Rule(
            frozenset(rule.get("providers", providers)),
            _methods(rule.get("methods", ())),
            tuple(rule.get("paths", ())),
        )
        for rule in found.get("calls", ())
        if isinstance(rule, dict)
    )
    return Caller(
        name,
        tuple(found.get("keys", ())),
        providers,
        rules,
        tuple(found.get("endpoints", ())),
        Users(tuple(found.get("users", ()))),
        found.get("limit"),
    )


def _methods(named: Sequence[str]) -> frozenset[str]:
    return frozenset(METHODS if schema.ANY_METHOD in named else named)


def _shared_keys(callers: Mapping[str, Caller]) -> Iterator[tuple[Path, str]]:
    first: dict[bytes, str] = {}

    for name, caller in callers.items():
        for at, digest in enumerate(caller.digests):
            place = f"callers.{name}.keys.{at}"

            if first.setdefault(digest, place) != place:
                yield ("callers", name, "keys", at), f"is the same as {first[digest]}"

    if len(first) > MOST_KEYS:
        yield ("callers",), f"have more than {MOST_KEYS} keys together"


def _nowhere(
    pattern: EndpointPattern, caller: Caller, on: Collection[str], endpoints: Endpoints
) -> str:
    """Return why a pattern covers nothing that the caller could use, empty if it does."""
    owners = [
        owner
        for owner, written in endpoints.items()
        for one in written
        if pattern.covers(one.partition(" ")[0], segments_of(one.partition(" ")[2]))
    ]

    if any(owner in caller.providers or not owner for owner in owners):
        return ""

    if not owners:
        listed = sorted({one.partition(" ")[2] for some in endpoints.values() for one in some})
        return f"is none of the endpoints, which are {', '.join(listed)}"

    if any(owner in on for owner in owners):
        return f"belongs to {owners[0]}, which is not among the caller's providers"

    return f"belongs to {owners[0]}, which is off"


def _said(line: int, place: Path, text: str) -> str:
    # It comes onto `/-/ready`, which is open to all.
    text = ANY_KEY.sub("cpk_…", text)
    named = ".".join(_printable(str(one)) for one in place)
    return f"line {line}: {named}: {text}" if named else f"line {line}: {text}"


def _printable(text: str) -> str:
    # A name may be anything, a key among others.
    if text.startswith("cpk_"):
        return "cpk_…"

    return text if text.isprintable() and len(text) <= 64 else ascii(text[:64])  # noqa: PLR2004
