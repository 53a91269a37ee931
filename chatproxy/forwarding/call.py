"""An outgoing request: a forwarded one, or one of the sidecar's own."""

import re
from collections.abc import Sequence

import requests
from requests.structures import CaseInsensitiveDict

from chatproxy.forwarding.body import CallerBody
from chatproxy.forwarding.headers import Fields
from chatproxy.forwarding.target import Target, Upstream
from chatproxy.forwarding.timeouts import Deadline

#: Methods that should send `Content-Length: 0` when they have no body (RFC 9110 section 8.6).
EXPECTED_TO_HAVE_A_BODY = frozenset({"POST", "PUT", "PATCH"})

#: What can be written, with one `Host`, and framed by us alone: as strict as h11 is.
TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
VALUE = rb"(?:(?![ \t])[^\x00\n\v\f\r]++(?<![ \t]))?"
HEAD = re.compile(
    rb"%b [\x21-\x7e]++ HTTP/1\.1\r\n"
    rb"Host: %b\r\n"
    rb"(?:(?!(?i:host|content-length|transfer-encoding):)%b: %b\r\n)*+"
    % (TOKEN, VALUE, TOKEN, VALUE)
)


class Unwritable(ValueError):
    """A call that is no HTTP. Its text is not quoted: it holds our credentials."""


class Call(requests.PreparedRequest):
    """A request that goes out as it stands.

    It has the type that `requests` sends, so that the session's adapter decides where it may go,
    but it skips `requests`' preparation.
    """

    # Preparation would decode the path (`/base/%2e%2e/adm` goes out as `/base/../adm`), rewrite an
    # invalid escape (`%zz` to `%25zz`), lose repeated fields and frame the body anew.

    def __init__(
        self, method: str, target: Target, fields: Fields, upload: CallerBody | None = None
    ) -> None:
        super().__init__()
        self.method = method
        self.target = target
        self.fields = fields
        self.upload = upload
        self.deadline: Deadline

    @property
    def headers(self) -> CaseInsensitiveDict[str]:
        """The fields in the form that `requests` expects of a prepared request."""
        return CaseInsensitiveDict(self.fields)

    @headers.setter
    def headers(self, _: object) -> None:
        """Ignore what `requests` sets; `fields` are what goes out."""

    @classmethod
    def own(
        cls,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
    ) -> "Call":
        """Make a call of the sidecar's own; `path` is below the base URL, `query` is encoded."""
        pairs = "&".join(f"{name}={value}" for name, value in query)
        upload = None if body is None else CallerBody.of_bytes(body)
        return cls(method, Target(path, pairs or None), list(headers), upload)

    def address(self, upstream: Upstream, deadline: Deadline) -> None:
        """Set where it goes, and by when."""
        self.url = upstream.url(self.target)
        self.deadline = deadline

    @property
    def consumes_body(self) -> bool:
        """Say whether an attempt reads a body that cannot be read a second time."""
        upload = self.upload
        return upload is not None and upload.length != 0 and not upload.is_replayable

    def rewind(self) -> None:
        """Prepare for a second attempt."""
        if self.upload is not None:
            self.upload.rewind()

    def head(self) -> bytes:
        """Return the head for the wire, framed as the body came; raise `Unwritable`."""
        # A sized body stays sized. Sent on as chunked, one that is cut off could still be ended
        # properly, and the provider would store the part as if it were the whole.
        if self.upload is None:
            framing = b"Content-Length: 0\r\n" if self.method in EXPECTED_TO_HAVE_A_BODY else b""
        elif self.upload.length is None:
            framing = b"Transfer-Encoding: chunked\r\n"
        else:
            framing = b"Content-Length: %d\r\n" % self.upload.length

        # Cut, not parsed: a parser might normalise the path that was checked.
        target = str(self.url).split("/", 3)[3]
        fields = "".join([f"{name}: {value}\r\n" for name, value in self.fields])
        # Latin-1 turns WSGI's text back into the bytes that arrived (PEP 3333).
        head = f"{self.method} /{target} HTTP/1.1\r\n{fields}".encode("latin-1")

        # One line for each: else the provider would read what was to be a value as another field.
        if HEAD.fullmatch(head) is None or head.count(b"\r\n") != 1 + len(self.fields):
            raise Unwritable("the call cannot be written as HTTP")

        return b"%b%b\r\n" % (head, framing)
