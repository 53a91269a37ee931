"""Credentials: how ours get into a call, and a caller's stay out.

The caller's spelling of a credential is removed first, ours is put in last. With both in the
request, it would be up to the provider's server which of the two it reads.
"""

import dataclasses
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from chatproxy.formats.secret_forms import forms
from chatproxy.forwarding.escapes import decode_fully, holds_key, readings
from chatproxy.forwarding.headers import squeezed

#: Characters that some servers turn into `_` in a name: PHP does so with dots and spaces.
READ_AS_UNDERSCORE = str.maketrans("-. ", "___")

#: Characters that a lenient server may strip from both ends of a name: controls and the space.
STRIPPED = "".join(map(chr, range(0x21)))

#: `&`, and the `;` that HTML 4.01 (appendix B.2.2) recommended and some servers still split on.
QUERY_SEPARATOR = re.compile(r"([&;])")

#: Below this many characters a credential may well be part of an ordinary word in an answer.
SHORTEST_RECOGNISED = 4
#: Base64 is shorter than this only for a secret that may be part of any text.
SHORTEST_FORM = 6
#: A part of a key, such as what follows a dot in it, may be an ordinary word.
SHORTEST_PART = 16


@dataclasses.dataclass(frozen=True)
class Credentials:
    """What is put into a forwarded call, and which names are removed from it first.

    `reserved` holds the names, in lower case with `_` for `-`, that a caller may use neither in
    the query nor as a header. `body` are fields for the JSON object in the body. `public` names
    headers that are not secret, so that an answer may repeat them. `made_from` are the secrets that
    are in none of it as they stand, such as the one that signed a token.
    """

    query: Sequence[tuple[str, str]]
    headers: Sequence[tuple[str, str]] = dataclasses.field(repr=False)
    reserved: frozenset[str]
    body: Mapping[str, str] | None = dataclasses.field(default=None, repr=False)
    public: frozenset[str] = frozenset()
    made_from: Sequence[str] = dataclasses.field(default=(), repr=False)

    def beside(self, checked: Sequence[tuple[str, str]]) -> "Credentials":
        """Return these credentials with the caller's own, checked ones added.

        As credentials they cannot be duplicated by the caller, nor be removed by naming them
        in `Connection`.
        """
        names = {name.lower().replace("-", "_") for name, _ in checked}
        return dataclasses.replace(
            self, headers=[*self.headers, *checked], reserved=self.reserved | names
        )

    @functools.cached_property
    def joined_query(self) -> str:
        """What goes into the query."""
        return "&".join([f"{name}={value}" for name, value in self.query])

    def into_query(
        self,
        query: str | None,
        drops: Callable[[str], bool],
        values: re.Pattern[str] | None = None,
    ) -> str | None:
        """Remove each name that `drops` from a raw query; put ours in front.

        So is each pair in which `values` is found.

        The rest keeps its bytes and its order. None stands for a target without a `?`.
        """
        kept = _cut(query, lambda pair: drops(pair.partition("=")[0])) if query else ""

        if values is not None and kept:
            kept = without_values(kept, values)

        ours = self.joined_query
        joined = f"{ours}&{kept}" if ours and kept else ours or kept
        return joined if joined or query == "" else None

    def secrets(self) -> Iterator[str]:
        """Yield what no caller may see, with each part that is one by itself."""
        for name, value in (*self.query, *self.headers, *(self.body or {}).items()):
            if name not in self.public:
                yield value
                # What follows `Bearer` or `Basic`, and a JWT's signature, are as good as the whole.
                parts = (value.rpartition(" ")[2], value.rpartition(".")[2])
                yield from (one for one in parts if len(one) >= SHORTEST_PART)

        yield from self.made_from

    def are_in(self, text: str) -> bool:
        """Say whether a text for the caller holds one of the secrets, however it is encoded."""
        found = list(readings(text))
        return any(
            form in reading
            for secret in self.secrets()
            if len(secret) >= SHORTEST_RECOGNISED
            for form in forms(secret)
            if form == secret or len(form) >= SHORTEST_FORM
            for reading in found
        )


def without(query: str, reserved: frozenset[str]) -> str:
    """Remove every spelling of the reserved names from a raw query."""
    return _cut(query, lambda pair: is_reserved(pair.partition("=")[0], reserved))


def without_values(query: str, values: re.Pattern[str]) -> str:
    """Remove each pair from a raw query in which a pattern is found, however often encoded."""
    # All are searched at once, as hardly ever one of them holds anything.
    return _cut(query, lambda pair: holds_key(pair, values)) if holds_key(query, values) else query


def _cut(query: str, is_dropped: Callable[[str], bool]) -> str:
    # Cut out, not parsed and written anew, which would change the bytes of all other pairs.
    first, *rest = QUERY_SEPARATOR.split(query)

    if not is_dropped(first) and not any(map(is_dropped, rest[1::2])):
        return query

    kept = "" if is_dropped(first) else first
    dropped_first = kept != first

    for separator, pair in zip(rest[::2], rest[1::2], strict=True):
        if is_dropped(pair):
            continue

        kept += pair if dropped_first else separator + pair
        dropped_first = False

    return kept


def plain_name(name: str) -> str:
    """Fold the spellings of a name into one: case, `-` for `_`, white space, NUL, `[]`."""
    # `api_key[]` is an element of `api_key` to PHP and to Rack; C code ends a name at NUL.
    start = re.split(r"[\[\0]", name.lstrip(STRIPPED), maxsplit=1)[0]
    return start.rstrip(STRIPPED).lower().translate(READ_AS_UNDERSCORE)


def is_reserved(
    name: str, reserved: frozenset[str], withheld: frozenset[str] = frozenset()
) -> bool:
    """Say whether a raw name in a query is a spelling of a reserved one, or withheld.

    Those that are withheld are squeezed.
    """
    if "%" in name or "+" in name:
        # A server, or a proxy in front of it, may decode a name more than once.
        decoded = decode_fully(name.replace("+", " "))

        if decoded is None:
            return True  # no honest caller sends such a name, and it may hide one of ours

        name = decoded.decode("latin-1")

    plain = plain_name(name)
    return plain in reserved or (bool(withheld) and squeezed(plain) in withheld)
