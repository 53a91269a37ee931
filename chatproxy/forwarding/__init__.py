"""How bytes cross: prepare, send, relay. Knows no provider and no Flask."""

import dataclasses
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import cast

import requests

from chatproxy.forwarding import headers
from chatproxy.forwarding.body import CallerBody
from chatproxy.forwarding.patience import Patience
from chatproxy.forwarding.session import AnswerStream, Call
from chatproxy.forwarding.target import Target, Upstream, with_credentials, without


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """What a caller asked for: the target below the mount, fields and body as they came."""

    method: str
    target: Target
    pairs: headers.Pairs
    body: CallerBody | None


@dataclasses.dataclass(frozen=True, slots=True)
class Injection:
    """What is put in, and what is taken out before it.

    `reserved` are names of credentials, in lower case with `_` for `-`; `withheld`
    are lower-case names of fields that say who the user is; `public` are names of
    fields of ours that are no secret.
    """

    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]] = dataclasses.field(repr=False)
    reserved: frozenset[str]
    withheld: frozenset[str]
    public: frozenset[str] = frozenset()


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """The upstream's answer. `pieces` must be read to the end, or closed."""

    status: int
    reason: str
    pairs: headers.Pairs
    stream: AnswerStream

    def pieces(self) -> Iterator[bytes]:
        """Yield the body as it arrives; raise `AnswerBroken` where it breaks off."""
        return self.stream.stream()


def forward(
    request: Request,
    upstream: Upstream,
    injection: Injection,
    session: requests.Session,
    patience: Patience,
    mount: str,
) -> Answer:
    """Send a caller's request to the upstream with the credentials put in.

    Returns as soon as the answer's headers are there. Raises `CallerError` where
    the request cannot go out, `UpstreamError` where no usable answer came, and
    `CallerLeft`.
    """
    call = _prepared(request, upstream, injection, patience)
    response = session.send(
        call, allow_redirects=False, stream=True, proxies={}, timeout=None, verify=True, cert=None
    )
    stream = cast(AnswerStream, response.raw)
    pairs = _located(headers.answered(stream.fields), upstream, injection, mount)
    return Answer(response.status_code, response.reason or _phrase(response), pairs, stream)


def _prepared(
    request: Request, upstream: Upstream, injection: Injection, patience: Patience
) -> Call:
    """Make the call as it goes out: target, fields and body, with the credentials in."""
    if request.body is not None:
        request.body.limit_to(patience.limits.body_bytes)

    query = with_credentials(request.target.query, injection.query, injection.reserved)
    return Call(
        method=request.method,
        url=upstream.url(Target(request.target.path, query)),
        pairs=headers.outgoing(
            request.pairs,
            injection.headers,
            injection.reserved,
            upstream.authority,
            withheld=injection.withheld,
        ),
        body=request.body,
        patience=patience,
    )


def _located(
    pairs: headers.Pairs, upstream: Upstream, injection: Injection, mount: str
) -> headers.Pairs:
    """Let each `Location` lead back through the sidecar, or leave it out."""
    if not any(name.lower() == "location" for name, _ in pairs):
        return pairs

    changed = (
        (
            name,
            _location(value, upstream, injection, mount) if name.lower() == "location" else value,
        )
        for name, value in pairs
    )
    return [(name, value) for name, value in changed if value is not None]


def _location(value: str, upstream: Upstream, injection: Injection, mount: str) -> str | None:
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

    kept = without(query, injection.reserved) if question else ""
    location = f"{place}?{kept}" if kept else place
    put_in = (*injection.query, *injection.headers)
    ours = [value for name, value in put_in if name not in injection.public]
    return None if any(len(one) > 3 and one in location for one in ours) else location


def _phrase(response: requests.Response) -> str:
    """Name a status whose reason the upstream left out."""
    try:
        return HTTPStatus(response.status_code).phrase
    except ValueError:
        return ""
