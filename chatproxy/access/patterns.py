"""Patterns, and the readings of a path that they are compared with.

A pattern allows. So a path that two servers could read differently is allowed only where each of
its readings is: no spelling opens more than the plain one does.
"""

import dataclasses
import re
import unicodedata
from collections.abc import Iterator, Sequence
from urllib.parse import unquote_to_bytes

ANY = "*"
#: Any number of segments, at the end of a pattern.
REST = "**"
#: A segment that names one of the users whom the caller may act for.
USER = "{user}"

#: A path that every server reads in one way. Most are such.
PLAIN = re.compile(r"(?:/[A-Za-z0-9._~@:!$'()*+,=&-]+)*/?")
#: What some servers turn into a slash, as the best fit in a narrower character set.
LIKE_A_SLASH = re.compile(r"[/\\\u2044\u2215\u2216\u2571\u29f5\u29f8\ufe68\uff0f\uff3c]")
READ_IN_WAYS = re.compile(rf"{LIKE_A_SLASH.pattern}|[%;?#]")
#: `%` first of all: patterns are written decoded.
NOT_IN_A_PATTERN = re.compile(r"[%?#;\\{}\s\x00-\x1f\x7f]")
DOT_SEGMENTS = (".", "..")
#: As many times over may a forwarded path be encoded (`forwarding.target`).
MOST_DECODINGS = 9

Segments = tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Wildcard:
    """A text with at most one `*`, which stands for any characters, none among them."""

    text: str

    def fits(self, text: str) -> bool:
        """Say whether a text is what is meant."""
        if ANY not in self.text:
            return text == self.text

        start, _, end = self.text.partition(ANY)
        return len(text) >= len(start) + len(end) and text.startswith(start) and text.endswith(end)


@dataclasses.dataclass(frozen=True, slots=True)
class Users:
    """The users for whom a caller may act."""

    patterns: tuple[Wildcard, ...] = ()

    @property
    def are_all(self) -> bool:
        """Whether every user is among them."""
        return any(one.text == ANY for one in self.patterns)

    def have(self, user_id: str) -> bool:
        """Say whether a user is among them."""
        return any(one.fits(user_id) for one in self.patterns)


@dataclasses.dataclass(frozen=True, slots=True)
class PathPattern:
    """A pattern for the path of a forwarded call, below the provider's base URL."""

    text: str
    segments: tuple[Wildcard, ...]
    has_rest: bool

    @classmethod
    def read(cls, text: str) -> "PathPattern":
        """Read a pattern; raise `ValueError` with what is wrong."""
        if not text.startswith("/"):
            raise ValueError("must begin with a slash: it is the path below the provider's URL")

        *segments, last = text.removesuffix("/").split("/")[1:] or [""]
        has_rest = last == REST
        segments += [] if has_rest or text == "/" else [last]

        for one in segments:
            _check_segment(one)

        return cls(text, tuple(map(Wildcard, segments)), has_rest)

    @property
    def is_any(self) -> bool:
        """Whether every path fits."""
        return self.has_rest and not self.segments

    def fits(self, segments: Segments, users: Users) -> bool:
        """Say whether one reading of a path is what is meant."""
        wanted = self.segments

        if len(segments) < len(wanted) or (len(segments) > len(wanted) and not self.has_rest):
            return False

        # An empty segment fits nothing: a server that takes `//` for `/` would not see it.
        return all(
            given and (users.have(given) if one.text == USER else one.fits(given))
            for one, given in zip(wanted, segments, strict=False)
        )


def _check_segment(text: str) -> None:
    if text == USER:
        return

    if not text or text in DOT_SEGMENTS:
        raise ValueError("must hold neither `//` nor a dot segment")

    if found := NOT_IN_A_PATTERN.search(text):
        raise ValueError(f"must not hold {found[0]!r}: write the path decoded, without a query")

    if text.count(ANY) > 1:
        raise ValueError("`**` stands at the end only, and a segment has one `*` at most")


@dataclasses.dataclass(frozen=True, slots=True)
class EndpointPattern:
    """An endpoint of the sidecar's own with all below it, perhaps for one method only."""

    text: str
    method: str | None
    segments: Segments

    @classmethod
    def read(cls, text: str, methods: Sequence[str]) -> "EndpointPattern":
        """Read a pattern such as `/token` or `GET /api/users`; raise `ValueError`."""
        method, space, path = text.rpartition(" ")

        if space and method not in methods:
            raise ValueError(f"must begin with a path, or one of {', '.join(methods)} before it")

        if path != ANY and not path.startswith("/"):
            raise ValueError("must be a path such as /token")

        return cls(text, method or None, () if path == ANY else segments_of(path))

    def covers(self, method: str, endpoint: Segments) -> bool:
        """Say whether an endpoint is meant; `*` in both stands for what callers name."""
        return self.method in (None, method) and (
            len(endpoint) >= len(self.segments)
            and all(
                one in (ANY, given) for one, given in zip(self.segments, endpoint, strict=False)
            )
        )


def segments_of(path: str) -> Segments:
    """Return the segments of an endpoint; what its callers name (`<user_id>`) is `*`."""
    return tuple(ANY if one.startswith("<") else one for one in path.split("/") if one)


def readings(path: str) -> Sequence[Segments]:
    """Return the segments of a raw path in each way to read it.

    One slash at the end counts for nothing. A path with a dot segment has no reading.
    """
    segments = path.split("/")[1:]

    if PLAIN.fullmatch(path):
        found = [_without_last_slash(segments)]
        return [] if "/." in path and _has_dots(found) else found

    # Most others hold nothing by which servers differ, once decoded: an id with a space.
    once = [_decoded(one, 1) for one in segments]

    if all(once[:-1]) and not any(map(READ_IN_WAYS.search, once)):
        found = [_without_last_slash(once)]
    else:
        found = list(dict.fromkeys(_every_reading(path)))

    return [] if _has_dots(found) else found


def _has_dots(ways: Sequence[Segments]) -> bool:
    return any(unicodedata.normalize("NFKC", one) in DOT_SEGMENTS for way in ways for one in way)


def _every_reading(path: str) -> Iterator[Segments]:
    for times in range(1, MOST_DECODINGS + 1):
        decoded = _decoded(path, times)
        raw = [_decoded(one, times) for one in path.split("/")[1:]]
        ways = [raw, *(_split(text) for text in {decoded, re.split("[?#]", decoded)[0]})]

        for way in ways:
            for named in (way, [one.partition(";")[0] for one in way]):
                yield _without_last_slash(named)

        if decoded == _decoded(path, times + 1):
            return


def _split(text: str) -> list[str]:
    return LIKE_A_SLASH.split(text)[1:]


def _decoded(text: str, times: int) -> str:
    content = text.encode("latin-1", "replace")

    for _ in range(times):
        content = unquote_to_bytes(content)

    return content.decode("utf-8", "replace")


def _without_last_slash(segments: Sequence[str]) -> Segments:
    return tuple(segments[:-1] if segments and not segments[-1] else segments)
