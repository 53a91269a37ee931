"""How bytes cross: prepare, send, relay. Knows no provider and no Flask."""

import dataclasses
from http import HTTPStatus

import requests

from chatproxy.forwarding import headers
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials, without
from chatproxy.forwarding.session import AnswerStream, send
from chatproxy.forwarding.target import Target, Upstream
from chatproxy.forwarding.timeouts import Deadline


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """How calls get to one upstream.

    `withheld` are lower-case names of fields that no provider is told: who the user is, and
    credentials that are another provider's.
    """

    upstream: Upstream
    session: requests.Session
    withheld: frozenset[str] = frozenset()


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
    """Send a caller's request to the upstream with the credentials put in.

    `call` holds what was asked for, below `mount`, as it came. Returns as soon as the
    answer's headers are there. Raises `CallerError` where the request cannot go out,
    `UpstreamError` where no usable answer came, and `CallerLeft`.
    """
    _prepare(call, way, credentials, deadline)
    response, pieces = send(way.session, call)
    fields = _located(headers.answered(pieces.fields), way.upstream, credentials, mount)
    reason = response.reason or _phrase(response.status_code)
    return Answer(response.status_code, reason, fields, pieces)


def _prepare(call: Call, way: Way, credentials: Credentials, deadline: Deadline) -> None:
    """Make the call what goes out: target, fields and body, with the credentials in."""
    if call.upload is not None:
        call.upload.limit_to(deadline.limits.body_bytes)

    call.target = Target(call.target.path, credentials.into_query(call.target.query))
    call.fields = headers.outgoing(
        call.fields,
        credentials.headers,
        credentials.reserved,
        way.upstream.authority,
        withheld=way.withheld,
    )
    call.address(way.upstream, deadline)


def _located(
    fields: headers.Fields, upstream: Upstream, credentials: Credentials, mount: str
) -> headers.Fields:
    """Let each `Location` lead back through the sidecar, or leave it out."""
    if headers.value_of(fields, "location") is None:
        return fields

    changed = (
        (name, location_for_caller(value, upstream, credentials, mount))
        if name.lower() == "location"
        else (name, value)
        for name, value in fields
    )
    return [(name, value) for name, value in changed if value is not None]


def location_for_caller(
    value: str, upstream: Upstream, credentials: Credentials, mount: str
) -> str | None:
    """Return a location as a caller can use it.

    None where it is at the upstream but outside the base path, which no caller can
    reach, or holds a credential of ours.
    """
    place, question, query = value.partition("?")
    path = upstream.path_of(place)

    if path is not None:
        if path != upstream.base_path and not path.startswith(upstream.base_path + "/"):
            return None

        place = mount + path.removeprefix(upstream.base_path)

        if place.startswith("//"):  # a client would take what follows for a host
            return None

    kept = without(query, credentials.reserved) if question else ""
    location = f"{place}?{kept}" if kept else place
    return None if credentials.are_in(location) else location


def _phrase(status: int) -> str:
    """Name a status whose reason the upstream left out."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
