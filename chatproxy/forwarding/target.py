"""The request target: how it is read, and where it may go.

Routing and forwarding decide from the same raw bytes. A path that two servers could read
differently is refused, since the proxy in front or the provider behind might find another place
there than the one that was checked. On every route that is a dot segment (RFC 3986 section 5.2.4)
in any spelling; what is forwarded must hold no backslash and no control character either, however
often encoded. All else goes out byte for byte.
"""

import dataclasses
import functools
import re
from collections.abc import Iterator
from urllib.parse import unquote_to_bytes, urlsplit

from chatproxy.errors import BadTarget
from chatproxy.formats.authority import AUTHORITY
from chatproxy.forwarding.escapes import MOST_ENCODINGS

DEFAULT_PORTS = {"http": 80, "https": 443}

ABSOLUTE_FORM = re.compile(rf"https?://{AUTHORITY.pattern}(?=[/?#]|\Z)", re.IGNORECASE)
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

#: The first bytes of overlong UTF-8, in which a lenient decoder finds a hidden `.` or `/`
#: (RFC 3629 section 10).
OVERLONG = re.compile(rb"[\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]")
#: Some servers take the backslash for a slash.
SEPARATOR = re.compile(rb"[/\\]")
#: What ends a segment's name for servers that know path parameters (RFC 3986 section 3.3).
ENDS_A_NAME = re.compile(rb"[;?#]")
DOT_SEGMENTS = (b".", b"..")
#: Bytes that some servers strip from a name, or end it at: controls, the space, and DEL.
STRIPPED = bytes([*range(0x21), 0x7F])
#: What a forwarded path must not hold either.
NEVER_FORWARDED = re.compile(rb"[\x00-\x1f\x7f\\]")


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """A request target as it came: raw path, and raw query, None if there was no `?`.

    `authority` is that of the absolute form, which stands in place of `Host`.
    """

    path: str
    query: str | None
    authority: str | None = None

    @classmethod
    def read(cls, raw: str) -> "Target":
        """Read a target in origin or absolute form (RFC 9112 section 3.2); raise `BadTarget`.

        The path itself is checked by the route that it leads to.
        """
        authority = None

        # Servers have to accept the absolute form (section 3.2.2). Its authority is no part of what
        # is forwarded, since the settings alone decide where a call goes; joined to our base URL as
        # it stands, it would lead to the wrong place.
        if not raw.startswith("/"):
            front = ABSOLUTE_FORM.match(raw)

            if front is None:
                raise BadTarget("The request target must be a path, or a URL without a user.")

            authority = front[0].partition("://")[2]
            raw = raw[front.end() :]
            raw = raw if raw.startswith("/") else "/" + raw

        # A fragment is never sent (RFC 9110 section 7.1). Here one server might end the path at
        # `#`, and another read on.
        if "#" in raw:
            raise BadTarget("The request target must not hold a fragment.")

        path, question, query = raw.partition("?")
        return cls(path, query if question else None, authority)

    def refuse_dot_segments(self) -> None:
        """Raise `BadTarget` if any server could find a dot segment in the path."""
        if _is_harmless(self.path):
            return

        if BAD_ESCAPE.search(self.path):
            raise BadTarget("The path holds a `%` that begins no escape.")

        for level in _levels(self.path):
            if OVERLONG.search(level):
                raise BadTarget("The path must hold no overlong UTF-8.")

            if any(_is_dot_segment(one) for one in SEPARATOR.split(level)):
                raise BadTarget("The path must hold no dot segment.")

    def below(self, mount: str) -> "Target":
        """Return the part below a mount, to be forwarded.

        Raises `BadTarget` if servers could disagree about the path, or if the mount in it is
        percent-encoded.
        """
        if not _is_harmless(self.path):
            self.refuse_dot_segments()

            # An id of our own may hold these: `DOMAIN\\alice` is one.
            if any(map(NEVER_FORWARDED.search, _levels(self.path))):
                raise BadTarget("The path must hold no control character and no backslash.")

        # The router has matched the decoded path, so `/%70roxy/x` gets here as well.
        if not self.path.startswith(mount + "/"):
            raise BadTarget("The path before the forwarded part must not be percent-encoded.")

        return Target(self.path[len(mount) :], self.query)


@dataclasses.dataclass(frozen=True)
class Upstream:
    """Where forwarded calls go. It comes from the settings alone."""

    scheme: str
    host: str
    port: int
    base_path: str

    @classmethod
    def at(cls, base_url: str) -> "Upstream":
        """Split a base URL that the settings have checked."""
        url = urlsplit(base_url)
        port = url.port or DEFAULT_PORTS[url.scheme]
        return cls(url.scheme, url.hostname or "", port, url.path.rstrip("/"))

    @functools.cached_property
    def authority(self) -> str:
        """The value for `Host`: no port where it is the scheme's own (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @functools.cached_property
    def origin(self) -> str:
        """Scheme, host and port as the front of a URL."""
        return f"{self.scheme}://{self.authority}"

    def path_of(self, location: str) -> str | None:
        """Return the path of a location that leads to this upstream, else None."""
        # A relative path is resolved by the caller against its own URL (RFC 9110 section 10.2.2),
        # so it needs no change.
        try:
            url = urlsplit(location, scheme=self.scheme)
            port = url.port or DEFAULT_PORTS.get(url.scheme)
        except ValueError:
            return None

        if not url.netloc:
            return url.path if url.path.startswith("/") else None

        here = (url.scheme, url.hostname, port) == (self.scheme, self.host, self.port)
        return url.path if here else None

    def url(self, target: Target) -> str:
        """Join a checked target to the base."""
        query = "" if target.query is None else f"?{target.query}"
        return f"{self.origin}{self.base_path}{target.path}{query}"


def _is_harmless(path: str) -> bool:
    # Most paths have none of these, and `in` is the quickest way to see that.
    return not ("%" in path or "/." in path or "\\" in path)


def _is_dot_segment(segment: bytes) -> bool:
    # `..;x` is one to servers that take `;x` for a parameter, such as Tomcat.
    name = ENDS_A_NAME.split(segment, maxsplit=1)[0]
    return name.translate(None, STRIPPED) in DOT_SEGMENTS


def _levels(path: str) -> Iterator[bytes]:
    # Every level is checked: `requests` alone undoes one encoding (`%2e%2e` goes out as `..`), and
    # a gateway on either side may undo another.
    level = path.encode("latin-1")

    for _ in range(MOST_ENCODINGS):
        yield level
        decoded = unquote_to_bytes(level)

        if decoded == level:
            return

        level = decoded

    raise BadTarget("The path is percent-encoded too many times over.")
