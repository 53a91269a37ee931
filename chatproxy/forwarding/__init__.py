"""Forward a request: prepare it, send it, return the answer. Knows no provider and no Flask."""

import dataclasses
from http import HTTPStatus
from typing import ClassVar

# Before any other module imports it.
from chatproxy.forwarding.without_detectors import requests

# isort: split
from chatproxy.forwarding import headers, session
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.connection import SWITCHING, Connection
from chatproxy.forwarding.credentials import Credentials, without
from chatproxy.forwarding.plan import Plan
from chatproxy.forwarding.session import AnswerStream, send
from chatproxy.forwarding.target import Target, Upstream
from chatproxy.forwarding.timeouts import Deadline

#: Sets of credentials of which a plan is kept. A provider has one, or one for each kind of caller.
MOST_PLANS = 16


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How calls reach one upstream.

    `withheld` is what no upstream is sent: who the user is, and the keys of our callers.
    """

    upstream: Upstream
    session: requests.Session
    withheld: headers.Withheld = headers.NOTHING
    _plans: dict[frozenset[str], Plan] = dataclasses.field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def plan(self, reserved: frozenset[str]) -> Plan:
        """Return what becomes of names beside credentials that reserve these."""
        if (found := self._plans.get(reserved)) is None:
            if len(self._plans) >= MOST_PLANS:
                self._plans.clear()

            found = self._plans[reserved] = Plan(reserved, self.withheld)

        return found


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The upstream's answer. `pieces` must be read to the end, or closed."""

    status: int
    reason: str
    fields: headers.Fields
    pieces: AnswerStream


def forward(
    call: Call, way: Way, credentials: Credentials, deadline: Deadline, *, mount: str
) -> Answer:
    """Send a caller's request to the upstream with our credentials.

    `call` is the request as it came, its path below `mount`. Returns as soon as the answer's
    headers have arrived. Raises `CallerError` if the request cannot be forwarded,
    `UpstreamError` if there is no usable answer, and `CallerLeft`.
    """
    _prepare(call, way, credentials, deadline)
    response, pieces = send(way.session, call)
    return _answer(response.status_code, response.reason, pieces, way, credentials, mount)


@dataclasses.dataclass(frozen=True, slots=True)
class Switched:
    """The upstream speaks another protocol now. `connection` must be closed."""

    status: ClassVar[int] = SWITCHING
    fields: headers.Fields
    connection: Connection


def switch(
    call: Call, way: Way, credentials: Credentials, deadline: Deadline, protocol: str, *, mount: str
) -> Switched | Answer:
    """Ask the upstream for another protocol, as `forward` sends a request.

    Returns its answer where it refuses. Raises what `forward` does.
    """
    _prepare(call, way, credentials, deadline)
    # Back in: they concern one connection only, and this is another one (RFC 9110 section 7.8).
    call.fields = [*call.fields, ("Connection", "Upgrade"), ("Upgrade", protocol)]
    head, rest = session.switch(way.session, call)

    if isinstance(rest, AnswerStream):
        return _answer(head.status, head.reason, rest, way, credentials, mount)

    return Switched(head.fields, rest)


def _answer(
    status: int, reason: str, pieces: AnswerStream, way: Way, credentials: Credentials, mount: str
) -> Answer:
    in_answer = way.plan(credentials.reserved).in_answer
    fields, names_a_place = headers.answered(pieces.fields, in_answer)

    if names_a_place:
        fields = _places_for_caller(fields, way.upstream, credentials, mount)

    return Answer(status, reason or _reason_phrase(status), fields, pieces)


def _prepare(call: Call, way: Way, credentials: Credentials, deadline: Deadline) -> None:
    if call.upload is not None:
        # First of all: a declared length above the limit is refused before anything is sent.
        call.upload.limit_to(deadline.limits.body_bytes)

    plan, host = way.plan(credentials.reserved), way.upstream.authority
    query = credentials.into_query(call.target.query, plan.drops_parameter, plan.values)
    call.target = Target(call.target.path, query)
    call.fields = headers.outgoing(
        call.fields, plan.in_request, plan.values, host, credentials.headers
    )
    call.address(way.upstream, deadline)


def _places_for_caller(
    fields: headers.Fields, upstream: Upstream, credentials: Credentials, mount: str
) -> headers.Fields:
    # A redirect is handed on, not followed (see `session.send`), so it has to make sense to the
    # caller, who can reach the upstream only through us (RFC 9110 section 10.2.2).
    kept: headers.Fields = []

    for name, value in fields:
        place: str | None = value

        if (lower := name.lower()) == "location":
            place = location_for_caller(value, upstream, credentials, mount)
        elif lower in headers.NAME_A_PLACE and credentials.are_in(value):
            place = None

        if place is not None:
            kept.append((name, place))

    return kept


def location_for_caller(
    value: str, upstream: Upstream, credentials: Credentials, mount: str
) -> str | None:
    """Return the location as the caller can use it, None if it must not see it.

    That is the case for a place at the upstream outside the base path, which no caller can
    reach, and for anything that holds one of our credentials.
    """
    place, question, query = value.partition("?")
    path = upstream.path_of(place)

    if path is not None:
        if path != upstream.base_path and not path.startswith(upstream.base_path + "/"):
            return None

        place = mount + path.removeprefix(upstream.base_path)

        if place.startswith("//"):  # a client would read the next part as a host (RFC 3986 4.2)
            return None

    # A provider that repeats the query in `Location` repeats our API key with it.
    kept = without(query, credentials.reserved) if question else ""
    location = f"{place}?{kept}" if kept else place
    return None if credentials.are_in(location) else location


def _reason_phrase(status: int) -> str:
    # The phrase may be absent (RFC 9112 section 4); some clients show it all the same.
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
