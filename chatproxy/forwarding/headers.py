"""Header fields on their way through: lists of fields until the last moment."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import h11

Fields = list[tuple[str, str]]

#: Fields that concern one connection only (RFC 9110 section 7.6.1; `Proxy-Connection`
#: and `Keep-Alive` are older than the list there and still in use).
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

#: Fields that are made anew for the next connection, or are not the provider's to see.
REMADE = frozenset({"host", "content-length", "expect"})
PRIVATE = frozenset(
    {
        "cookie",
        "cookie2",
        "forwarded",
        "via",
        "proxy",  # becomes the variable HTTP_PROXY in a CGI program (CVE-2016-5385)
        "x-real-ip",
        "x-original-url",
        "x-original-host",
        "x-rewrite-url",
        "x-forwarded",
        "x-api-key",
        "x-http-method",
        "x-http-method-override",
        "x-method-override",
        "client-type",
        "clienttype",
        "isbackoffice",
    }
)
PRIVATE_PREFIXES = ("x-forwarded-", "miauser")

#: Fields of an answer that are not passed on: framing is made anew, and a cookie of
#: the provider would be kept by the caller's client for a host that is not its own.
NOT_ANSWERED = frozenset({"set-cookie", "set-cookie2"})

#: What the provider lets pages of other origins do holds for itself. Here it would let any
#: page in a browser on this machine read what is fetched with our credential.
NOT_ANSWERED_PREFIX = "access-control-"

#: Bytes and fields that an answer's head may have. Above 100 fields the standard clients
#: of several languages give up.
LARGEST_HEAD = 32 * 1024
MOST_FIELDS = 100

#: What may not stand in a reason or a field's value (RFC 9110 section 5.5). h11 lets
#: some of it pass; the server in front would refuse to send it on.
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

_canonical: dict[str, str] = {}
_MOST_NAMES = 512


def of_request(environ: Mapping[str, Any]) -> Fields:
    """List a WSGI request's fields in the form that WSGI leaves of them.

    Names are in canonical case, repeated fields are already joined.
    """
    fields = [("Content-Type", environ["CONTENT_TYPE"])] if environ.get("CONTENT_TYPE") else []
    fields.extend((_name(key), value) for key, value in environ.items() if key[:5] == "HTTP_")
    return fields


def outgoing(
    received: Fields,
    ours: Sequence[tuple[str, str]],
    reserved: frozenset[str],
    host: str,
    *,
    withheld: frozenset[str] = frozenset(),
) -> Fields:
    """Make the fields of a forwarded request. `withheld` holds further names to leave out.

    Ours go in last, after the removal of what `Connection` names: a caller must
    not be able to have our credential removed.
    """
    dropped = HOP_BY_HOP | REMADE | PRIVATE | withheld | named_by_connection(received)
    kept = [
        (name, value)
        for name, value in received
        if (lower := name.lower()) not in dropped
        and lower.replace("-", "_") not in reserved
        and not lower.startswith(PRIVATE_PREFIXES)
    ]

    if not any(name.lower() == "accept-encoding" for name, _ in kept):
        # Absent, it would allow any coding, and the caller may know none.
        kept.append(("Accept-Encoding", "identity"))

    return [("Host", host), *kept, *ours]


def answered(received: Iterable[tuple[bytes, bytes]]) -> Fields:
    """List an answer's fields as they go to the caller: case, order, repetition kept.

    `Content-Length` stays where it stood; the server in front frames by it.
    """
    fields = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in received]
    dropped = HOP_BY_HOP | NOT_ANSWERED | named_by_connection(fields)

    if any(name.lower() == "transfer-encoding" for name, _ in fields):
        # Chunks win over a length beside them (RFC 9112 section 6.3), which may be wrong.
        dropped |= {"content-length"}

    return [
        (name, value)
        for name, value in fields
        if (lower := name.lower()) not in dropped and not lower.startswith(NOT_ANSWERED_PREFIX)
    ]


def oddity_of(head: h11.Response) -> str:
    """Return why a head that h11 accepts cannot be relayed, or nothing."""
    if head.http_version not in (b"1.0", b"1.1"):
        return "unknown HTTP version"

    if len(head.headers) > MOST_FIELDS:
        return "too many header fields"

    if sum(len(name) + len(value) for name, value in head.headers) > LARGEST_HEAD:
        return "head too large"

    if CONTROL.search(head.reason) or any(CONTROL.search(value) for _, value in head.headers):
        return "control character in the head"

    return ""


def value_of(fields: Fields, name: str) -> str | None:
    """Return the value of a field by its lower-case name, None where it is not there."""
    return next((value for field, value in fields if field.lower() == name), None)


def named_by_connection(fields: Fields) -> frozenset[str]:
    """Return the lower-case names that `Connection` lists (RFC 9110 section 7.6.1)."""
    return frozenset(
        token.strip().lower()
        for name, value in fields
        if name.lower() == "connection"
        for token in value.split(",")
    )


def _name(key: str) -> str:
    """Turn `HTTP_X_STREAM_CLIENT` into `X-Stream-Client`.

    The result is remembered, within a bound, since the same few names come with
    every request.
    """
    known = _canonical.get(key)

    if known is not None:
        return known

    name = key[5:].replace("_", "-").title()

    if len(_canonical) < _MOST_NAMES:
        _canonical[key] = name

    return name
