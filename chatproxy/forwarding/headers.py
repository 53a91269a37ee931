"""Header fields on their way through.

They stay lists of pairs: a mapping would join or lose repeated fields such as `Link`.
"""

import dataclasses
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import h11

from chatproxy.forwarding.escapes import holds_key
from chatproxy.names import remembered

Fields = list[tuple[str, str]]

#: What becomes of a field by its name, or what it says of the others.
Fate = Literal["kept", "dropped", "names others", "accepts codings", "is coded", "names a place"]

#: Fields that concern one connection only (RFC 9110 section 7.6.1, which counts the obsolete
#: `Keep-Alive` and `Proxy-Connection` among them; sections 11.7.1, 11.7.2 and 6.6.2).
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

#: Fields that are made anew for the next connection. `Expect` has been dealt with: gunicorn
#: answers 100, and we wait for none, since the caller is already sending.
REMADE = frozenset({"host", "content-length", "expect"})

#: Fields that are meant for us or describe the caller's network, and those by which some servers
#: let a request change its own method, path or sender. Both as `squeezed` writes them.
PRIVATE = frozenset(
    {
        "cookie",
        "cookie2",
        "forwarded",
        "via",
        "proxy",  # becomes the variable HTTP_PROXY in a CGI program (CVE-2016-5385)
        "xrealip",
        "xoriginalurl",
        "xoriginaluri",
        "xoriginalpath",
        "xoriginalmethod",
        "xoriginalhost",
        "xrewriteurl",
        "xoverrideurl",
        "xenvoyoriginalpath",
        "xforwarded",
        "xapikey",
        "xhttpmethod",
        "xhttpmethodoverride",
        "xmethodoverride",
        "clienttype",
        "isbackoffice",
    }
)
PRIVATE_PREFIXES = ("xforwarded", "miauser")

#: Fields of an answer that are not passed on, because a client keeps what they say, or does it, for
#: all of our host: it would send the provider's cookie with later requests, whoever their user is,
#: or ask another server in our place. `X-Content-Type-Options` is `OPENED_AS_A_PAGE`'s.
DROPPED_FROM_ANSWERS = frozenset(
    {
        "set-cookie",
        "set-cookie2",
        "alt-svc",
        "clear-site-data",
        "nel",
        "report-to",
        "service-worker-allowed",
        "strict-transport-security",
        "x-content-type-options",
    }
)

#: Fields of an answer with a URL in it. A server that builds one from the request that it received
#: repeats our credentials (RFC 9110 sections 8.7 and 10.2.2, RFC 8288; HTML's `Refresh`).
NAME_A_PLACE = frozenset({"location", "content-location", "link", "refresh"})

#: Added to an answer. In a browser that is led here it would be a page of our origin, whose script
#: could call us like a page of our own. Policies that the provider sends apply beside ours (Content
#: Security Policy level 3, section 3.1).
OPENED_AS_A_PAGE = [
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "sandbox; default-src 'none'"),
]

#: The provider decides which web pages may read its answers (Fetch standard, CORS). Passed on, an
#: `access-control-allow-origin: *` would let any page in a browser on this machine read what is
#: fetched with our credential.
CORS_PREFIX = "access-control-"

#: Bytes and fields that an answer's head may have. Python's `http.client`, among others, gives up
#: above 100 fields.
LARGEST_HEAD = 32 * 1024
MOST_FIELDS = 100

#: What neither a reason phrase nor a field's value may hold (RFC 9110 section 5.5). h11 lets some
#: of it pass, and gunicorn would then refuse to send the answer.
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")

NOT_IN_A_NAME = re.compile(r"[^a-z0-9]+")


@dataclasses.dataclass(frozen=True, slots=True)
class Withheld:
    """What of a caller's is sent to no upstream.

    `fields` are names of fields and `parameters` those of query parameters, both as `squeezed`
    writes them; no field whose value `values` finds is sent.
    """

    fields: frozenset[str] = frozenset()
    parameters: frozenset[str] = frozenset()
    values: re.Pattern[str] | None = None


NOTHING = Withheld()


@remembered
def squeezed(name: str) -> str:
    """Return a name without case and without what stands between its words."""
    # Servers differ in what they take for the same name: `API-Key`, `api_key`, `Api.Key`.
    return NOT_IN_A_NAME.sub("", name.lower())


def of_request(environ: Mapping[str, Any]) -> Fields:
    """List a WSGI request's fields.

    WSGI has lost the case of the names and joined repeated fields with commas (PEP 3333 takes
    both from CGI, RFC 3875 section 4.1.18).
    """
    fields = [(_name(key), value) for key, value in environ.items() if key[:5] == "HTTP_"]
    kind = environ.get("CONTENT_TYPE")
    return [("Content-Type", kind), *fields] if kind else fields


def fate_in_request(name: str, reserved: frozenset[str], withheld: frozenset[str]) -> Fate:
    """Say what becomes of a caller's field of this name."""
    lower, plain = name.lower(), squeezed(name)

    if lower == "connection":
        return "names others"

    if (
        lower in HOP_BY_HOP
        or lower in REMADE
        # Some servers read `api_key` as `api-key`, so both spellings go.
        or lower.replace("-", "_") in reserved
        or plain in withheld
        or plain in PRIVATE
        or plain.startswith(PRIVATE_PREFIXES)
    ):
        return "dropped"

    return "accepts codings" if lower == "accept-encoding" else "kept"


def outgoing(
    received: Fields,
    fate: Callable[[str], Fate],
    values: re.Pattern[str] | None,
    host: str,
    ours: Sequence[tuple[str, str]],
) -> Fields:
    """Return the fields of a forwarded request; none in whose value `values` is found goes on."""
    kept: Fields = []
    named: frozenset[str] = frozenset()
    accepts_codings = False

    for pair in received:
        what = fate(pair[0])

        if what == "kept":
            kept.append(pair)
        elif what == "accepts codings":
            kept.append(pair)
            accepts_codings = True
        elif what == "names others":
            named |= _tokens(pair[1])

    # Ours go in last, after `Connection` has been obeyed. The other way round, a caller could
    # delete our credential with `Connection: authorization`.
    if not named <= HOP_BY_HOP:
        kept = [pair for pair in kept if pair[0].lower() not in named]
        accepts_codings = value_of(kept, "accept-encoding") is not None

    # All values are searched at once, as hardly ever one of them holds anything.
    if values is not None and holds_key("\n".join([value for _, value in kept]), values):
        kept = [pair for pair in kept if not holds_key(pair[1], values)]
        accepts_codings = value_of(kept, "accept-encoding") is not None

    if not accepts_codings:
        # Without the field any coding is acceptable (RFC 9110 section 12.5.3), and a caller that
        # sent none may be unable to decode one.
        kept.append(("Accept-Encoding", "identity"))

    return [("Host", host), *kept, *ours]


def fate_in_answer(name: str) -> Fate:
    """Say what becomes of an upstream's field of this name."""
    lower = name.lower()

    if lower == "connection":
        return "names others"

    if lower == "transfer-encoding":
        return "is coded"

    if lower in HOP_BY_HOP or lower in DROPPED_FROM_ANSWERS or lower.startswith(CORS_PREFIX):
        return "dropped"

    return "names a place" if lower in NAME_A_PLACE else "kept"


def answered(received: Fields, fate: Callable[[str], Fate]) -> tuple[Fields, bool]:
    """Return an answer's fields for the caller, with their case, order and repetition.

    `Content-Length` stays: gunicorn frames the answer by it. Says too whether one names a place.
    """
    kept: Fields = []
    dropped: frozenset[str] = frozenset()
    names_a_place = False

    for pair in received:
        what = fate(pair[0])

        if what == "kept":
            kept.append(pair)
        elif what == "names a place":
            kept.append(pair)
            names_a_place = True
        elif what == "names others":
            dropped |= _tokens(pair[1])
        elif what == "is coded":
            # Chunked wins over a length beside it (RFC 9112 section 6.3). The chunks have been
            # read; copied, a wrong length would frame the answer differently for the caller.
            dropped |= {"content-length"}

    if not dropped <= HOP_BY_HOP:
        kept = [pair for pair in kept if pair[0].lower() not in dropped]

    return kept, names_a_place


def defect_in(head: h11.Response) -> str:
    """Return why a head that h11 accepts cannot be relayed, empty if it can."""
    if head.http_version not in (b"1.0", b"1.1"):
        return "unknown HTTP version"

    # A plain list: h11's own sequence calls a function for each field.
    fields = head.headers.raw_items()

    if len(fields) > MOST_FIELDS:
        return "too many header fields"

    if sum(len(name) + len(value) for name, value in fields) > LARGEST_HEAD:
        return "head too large"

    if CONTROL.search(head.reason) or any(CONTROL.search(value) for _, value in fields):
        return "control character in the head"

    return ""


def value_of(fields: Fields, name: str) -> str | None:
    """Return the first value of a field by its lower-case name."""
    return next((value for field, value in fields if field.lower() == name), None)


def _tokens(value: str) -> frozenset[str]:
    # The names that `Connection` lists (RFC 9110 section 7.6.1).
    return frozenset([token.strip().lower() for token in value.split(",")])


@remembered
def _name(key: str) -> str:
    # `HTTP_X_STREAM_CLIENT` to `X-Stream-Client`.
    return key[5:].replace("_", "-").title()
