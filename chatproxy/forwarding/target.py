"""The request target: one reading of it, and the place where it may go.

Routing and forwarding decide from the same raw bytes. What reads differently to
two servers (a dot segment, an encoded backslash, a control character, and any of
these encoded twice) is refused, because the provider might take it for another
place; all else goes out byte for byte.
"""

import dataclasses
import re
from urllib.parse import unquote_to_bytes, urlsplit

from chatproxy.errors import BadTarget
from chatproxy.formats.authority import AUTHORITY

ABSOLUTE_FORM = re.compile(rf"https?://{AUTHORITY.pattern}(?=[/?#]|\Z)", re.IGNORECASE)
BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")

#: Control characters, DEL, the backslash that some servers take for a slash, and
#: the beginnings of overlong UTF-8 forms, of which `.` and `/` have some.
NEVER_IN_A_PATH = re.compile(rb"[\x00-\x1f\x7f\\\xc0\xc1]|\xe0[\x80-\x9f]|\xf0[\x80-\x8f]")
ENDS_A_NAME = re.compile(rb"[;?#]")
DOT_SEGMENTS = (b".", b"..")
NEEDS_A_LOOK = re.compile(r"[%\\;]|(?:^|/)\.\.?(?:/|$)")

#: How often a text may be percent-encoded over. Each turn costs its length, so without
#: a bound a long path of `%252525…` would hold the worker up.
MOST_ENCODINGS = 8


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """A request target as it came: raw path, and raw query without the `?`.

    `query` is None where there was no question mark.
    """

    path: str
    query: str | None

    @classmethod
    def read(cls, raw: str) -> "Target":
        """Read a target in origin or absolute form (RFC 9112 section 3.2).

        The authority of an absolute form is dropped: where a call goes is
        decided by the settings alone. What the path may hold is asked when it is to be
        forwarded; an endpoint of the sidecar's own may be about a user of any name.
        Raises `BadTarget`.
        """
        if not raw.startswith("/"):
            authority = ABSOLUTE_FORM.match(raw)

            if authority is None:
                raise BadTarget("The request target must be a path, or a URL without a user.")

            raw = raw[authority.end() :]
            raw = raw if raw.startswith("/") else "/" + raw

        if "#" in raw:
            raise BadTarget("The request target must not hold a fragment.")

        path, question, query = raw.partition("?")
        return cls(path, query if question else None)

    def below(self, mount: str) -> "Target":
        """Take the mount's literal path off the front, for a call that is to go out.

        Raises `BadTarget` where two servers could read the path differently, and where
        it only decodes to something below the mount.
        """
        _check_path(self.path)

        if not self.path.startswith(mount + "/"):
            raise BadTarget("The path before the forwarded part must not be percent-encoded.")

        return Target(self.path[len(mount) :], self.query)


@dataclasses.dataclass(frozen=True, slots=True)
class Upstream:
    """Where forwarded calls go. It comes from the settings only."""

    scheme: str
    host: str
    port: int
    base_path: str

    @classmethod
    def at(cls, base_url: str) -> "Upstream":
        """Take a checked base URL apart."""
        url = urlsplit(base_url)
        port = url.port or (443 if url.scheme == "https" else 80)
        return cls(url.scheme, url.hostname or "", port, url.path.rstrip("/"))

    @property
    def authority(self) -> str:
        """The value for `Host`: no port where it is the scheme's own (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return host if self.port == default else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        """Scheme, host and port as the front of a URL."""
        return f"{self.scheme}://{self.authority}"

    def path_of(self, location: str) -> str | None:
        """Return the path of a location at this upstream, however it is written, else None.

        A relative one is not ours to change, and one that cannot be read is not at home here.
        """
        try:
            url = urlsplit(location, scheme=self.scheme)
            port = url.port or (443 if url.scheme == "https" else 80)
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


def _check_path(path: str) -> None:
    """Raise `BadTarget` unless the path reads the same to every server."""
    if not NEEDS_A_LOOK.search(path):
        return

    if BAD_ESCAPE.search(path):
        raise BadTarget("The path holds a `%` that begins no escape.")

    level = path.encode("latin-1")

    for _ in range(MOST_ENCODINGS):
        if NEVER_IN_A_PATH.search(level):
            raise BadTarget("The path must hold no control character and no backslash.")

        # `..;x` is a dot segment to servers that take `;x` for a parameter, and so on.
        if any(ENDS_A_NAME.split(one, maxsplit=1)[0] in DOT_SEGMENTS for one in level.split(b"/")):
            raise BadTarget("The path must hold no dot segment.")

        decoded = unquote_to_bytes(level)

        if decoded == level:
            return

        level = decoded

    raise BadTarget("The path is percent-encoded too many times over.")
