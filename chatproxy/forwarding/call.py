"""One request on its way out: a caller's that is forwarded, or one of the sidecar's own."""

from collections.abc import Sequence

import h11
import requests
from requests.structures import CaseInsensitiveDict

from chatproxy.forwarding.body import CallerBody
from chatproxy.forwarding.headers import Fields
from chatproxy.forwarding.target import Target, Upstream
from chatproxy.forwarding.timeouts import Deadline

#: Methods whose lack of a body should be said (RFC 9110 section 8.6).
EXPECTED_TO_HAVE_A_BODY = frozenset({"POST", "PUT", "PATCH"})


class Call(requests.PreparedRequest):
    """A request that is ready as it stands.

    It is what `requests` sends, so that the session's adapter decides where it may go; but
    nothing of it is prepared: what `requests` would normalise (the path, the case of names,
    repeated fields, a body's framing) goes out as it came.
    """

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
        """The fields as `requests` would have them, for whoever looks at a call that was made."""
        return CaseInsensitiveDict(self.fields)

    @headers.setter
    def headers(self, _: object) -> None:
        """Keep nothing: `fields` are what goes out."""

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
        """Make a call that the sidecar makes for itself; the path is below the base URL."""
        pairs = "&".join(f"{name}={value}" for name, value in query)
        upload = None if body is None else CallerBody.held(body)
        return cls(method, Target(path, pairs or None), list(headers), upload)

    def address(self, upstream: Upstream, deadline: Deadline) -> None:
        """Say where it goes, and by when."""
        self.url = upstream.url(self.target)
        self.deadline = deadline

    @property
    def uses_up_a_body(self) -> bool:
        """Say whether sending the request uses up bytes of the caller's."""
        upload = self.upload
        return upload is not None and upload.length != 0 and not upload.is_held

    def renew(self) -> None:
        """Prepare for a second attempt."""
        if self.upload is not None:
            self.upload.rewind()

    def head(self) -> h11.Request:
        """Frame the request as its body came: sized stays sized, chunked stays chunked."""
        fields = list(self.fields)

        if self.upload is not None and self.upload.length is None:
            fields.append(("Transfer-Encoding", "chunked"))
        elif self.upload is not None:
            fields.append(("Content-Length", str(self.upload.length)))
        elif self.method in EXPECTED_TO_HAVE_A_BODY:
            fields.append(("Content-Length", "0"))

        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        target = "/" + str(self.url).split("/", 3)[3]
        return h11.Request(method=str(self.method), target=target, headers=encoded)
