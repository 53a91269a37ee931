"""What goes into a call, and what is taken out of it before.

The order matters: a caller's own spelling of a credential is removed first, ours is put in
last. Appended beside it, a lenient server could read the caller's.
"""

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import unquote_to_bytes

from chatproxy.errors import MalformedBody, UnsupportedBody
from chatproxy.formats import strictjson
from chatproxy.forwarding.body import CallerBody
from chatproxy.forwarding.headers import Fields, value_of
from chatproxy.forwarding.target import MOST_ENCODINGS

#: JSON, and the types that are written in it (RFC 6839 section 3.1).
JSON_TYPE = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json\s*(?:;.*)?", re.IGNORECASE)

#: Fields that describe a body (RFC 9110 section 8; RFC 9530).
OF_THE_OLD_BODY = frozenset(
    {"content-type", "content-md5", "digest", "content-digest", "repr-digest"}
)

#: Characters of a name that some servers turn into `_`: PHP does so to dots and spaces.
READ_AS_UNDERSCORE = str.maketrans("-. ", "___")

#: What a lenient server may overlook around a name.
OVERLOOKED = "".join(map(chr, range(0x21)))

QUERY_SEPARATOR = re.compile(r"([&;])")

#: Characters below which a credential is too common a text to be looked for in an answer.
SHORTEST_RECOGNISED = 4


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What is put into a forwarded call, and what is taken out of it before.

    `reserved` holds the names, in lower case with `_` for `-`, that a caller may
    use neither in the query nor as a header. `body` are fields of the JSON object that
    the body then has to be. `public` names headers that are no secret, and may come back.
    """

    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]] = dataclasses.field(repr=False)
    reserved: frozenset[str]
    body: Mapping[str, str] | None = dataclasses.field(default=None, repr=False)
    public: frozenset[str] = frozenset()

    def beside(self, checked: Sequence[tuple[str, str]]) -> "Credentials":
        """Return these and fields that let the caller in.

        They go out as ours do, so that nothing the caller says can have them removed or
        doubled on the way.
        """
        names = {name.lower().replace("-", "_") for name, _ in checked}
        return dataclasses.replace(
            self, headers=[*self.headers, *checked], reserved=self.reserved | names
        )

    def into_query(self, query: str | None) -> str | None:
        """Take every spelling of a reserved name out of a raw query and put ours in front.

        The rest keeps its bytes and its order; without a rest there is no query.
        """
        kept = "" if query is None else without(query, self.reserved)
        pairs = [f"{name}={value}" for name, value in self.query]
        whole = "&".join([*pairs, kept] if kept else pairs)
        return whole if whole or query == "" else None

    def into_json(
        self, fields: Fields, body: CallerBody | None, most: int
    ) -> tuple[Fields, CallerBody | None]:
        """Put ours into the JSON object that the body is; return the new fields and body.

        A request without a body gets one that holds nothing else. The whole body is read, at
        most so many bytes, and written anew: fields that described the old one go. Raises
        `UnsupportedBody`, `MalformedBody`, `BodyTooLarge`, `TruncatedBody`.
        """
        if self.body is None:
            return fields, body

        if value_of(fields, "content-encoding") is not None:
            raise UnsupportedBody("The body must not be coded: the credentials are put into it.")

        content = b"" if body is None else body.read_all(most)
        is_json = JSON_TYPE.fullmatch(value_of(fields, "content-type") or "") is not None

        if content and not is_json:
            raise UnsupportedBody("The body must be JSON: the credentials are put into it.")

        document = _object_in(content) if content else {}
        content = json.dumps({**document, **self.body}, separators=(",", ":")).encode()
        kept = [(name, value) for name, value in fields if name.lower() not in OF_THE_OLD_BODY]
        return [*kept, ("Content-Type", "application/json")], CallerBody.held(content)

    def are_in(self, text: str) -> bool:
        """Say whether a text that goes to a caller holds one of the secrets."""
        secrets = [value for name, value in (*self.query, *self.headers) if name not in self.public]
        return any(len(one) >= SHORTEST_RECOGNISED and one in text for one in secrets)


def without(query: str, reserved: frozenset[str]) -> str:
    """Take every spelling of the reserved names out of a raw query.

    Both separators count: a server that splits on `;` must not find a second key.
    """
    first, *rest = QUERY_SEPARATOR.split(query)
    kept = "" if _is_reserved(first, reserved) else first
    dropped_first = kept != first

    for separator, pair in zip(rest[::2], rest[1::2], strict=True):
        if _is_reserved(pair, reserved):
            continue

        kept += pair if dropped_first else separator + pair
        dropped_first = False

    return kept


def plain_name(name: str) -> str:
    """Fold the spellings of a name into one: case, `-` for `_`, white space, NUL, `[]`."""
    start = re.split(r"[\[\0]", name.lstrip(OVERLOOKED), maxsplit=1)[0]
    return start.rstrip(OVERLOOKED).lower().translate(READ_AS_UNDERSCORE)


def _is_reserved(pair: str, reserved: frozenset[str]) -> bool:
    name = pair.partition("=")[0]

    if "%" in name or "+" in name:
        # A lenient server may decode a name more often than once.
        decoded = _fully_decoded(name.replace("+", " "))

        if decoded is None:
            return True  # nobody means such a name; it may hide one of ours

        name = decoded.decode("latin-1")

    return plain_name(name) in reserved


def _fully_decoded(text: str) -> bytes | None:
    """Percent-decode until nothing changes; None where that takes too many turns."""
    level = text.encode("latin-1")

    for _ in range(MOST_ENCODINGS):
        decoded = unquote_to_bytes(level)

        if decoded == level:
            return level

        level = decoded

    return None


def _object_in(content: bytes) -> dict[str, object]:
    try:
        document = strictjson.read(content)
    except ValueError as error:
        raise MalformedBody("The body must be a JSON object.", detail=str(error)) from error

    if not isinstance(document, dict):
        raise MalformedBody("The body must be a JSON object.")

    return document
