"""Stream's wire format: what goes into a call, a token, and a webhook check.

Source: the vendor's REST documentation and its official SDKs.
"""

import re
import zlib
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from chatproxy.providers.credential import Verdict
from chatproxy.errors import CallerError
from chatproxy.providers.base import Credentials, Dialect, OwnCall, Server
from chatproxy.providers.stream.errors import envelope
from chatproxy.providers.stream.settings import StreamSettings
from chatproxy.signing.digests import is_signed
from chatproxy.signing.tokens import mint

#: Seconds by which `iat` lies in the past: Stream refuses a token from the future
#: (code 42), and the clocks of two machines are never quite the same.
BACK_DATED = 5

USER_ID = re.compile(r"[A-Za-z0-9@_-]{1,255}")

#: Names under which Stream, or a look-alike of it, could read a credential.
RESERVED = frozenset({"api_key", "api_secret", "authorization", "stream_auth_type"})

GZIP_MAGIC = b"\x1f\x8b"

#: Bytes that a compressed event may inflate to. Stream's own events stay far below.
LARGEST_EVENT = 10 * 1024 * 1024

NO_WEBSOCKET = (
    "WebSockets are not proxied. Clients connect to wss://chat.stream-io-api.com/connect "
    "themselves, with the API key and a user token."
)


class Stream:
    """One Stream application."""

    name = "stream"
    needed = "STREAM_BASE_URL"
    dialect = Dialect(envelope, partial(CallerError, NO_WEBSOCKET))
    dialects: Mapping[str, Dialect] = {}

    def __init__(self, settings: StreamSettings) -> None:
        self.api_key = settings.api_key
        self.base_url: str | None = settings.base_url
        self.root_port = settings.root_port
        self._secrets = settings.api_secrets
        self._duration = settings.token_duration
        server_token = settings.auth_token or mint({"server": True}, self._secrets[0])
        self._credentials = Credentials(
            query=[("api_key", settings.api_key)],
            headers=[("Authorization", server_token), ("stream-auth-type", "jwt")],
            reserved=RESERVED,
        )

    def authorise(self) -> Credentials:
        """Return the key, and the server token, which carries no `Bearer` here."""
        return self._credentials

    def verdict(self, status: int, _content: bytes | None) -> Verdict:
        """Take a 401 for a refusal: it is answered for nothing else (codes 2, 5, 40-43)."""
        if status == 401:
            return "refused"

        return "accepted" if 200 <= status < 300 else "unknown"

    def check(self) -> OwnCall:
        """Read the application's own settings."""
        return OwnCall("GET", "/app", self._credentials.query, self._credentials.headers)

    def fault_in(self, status: int, _content: bytes) -> str:
        """Return what is wrong with the answer; the status says it all."""
        return "" if 200 <= status < 300 else f"answered {status}."

    def servers(self) -> Sequence[Server]:
        """Return nothing: all is at one server."""
        return ()

    def is_user_id(self, user_id: str) -> bool:
        """Check the alphabet that Stream documents, upper case included as seen in use."""
        return USER_ID.fullmatch(user_id) is not None

    def issue_token(self, user_id: str, now: float) -> str:
        """Make a user token, byte for byte as the official SDKs do.

        `iat` is always there: without it Stream cannot revoke one user's tokens.
        """
        claims: dict[str, Any] = {"user_id": user_id}

        if self._duration is not None:
            claims["exp"] = int(now) + self._duration

        claims["iat"] = int(now) - BACK_DATED
        return mint(claims, self._secrets[0])

    def verify_event(self, body: bytes, signature: bytes) -> bool:
        """Check `X-Signature` over the uncompressed body.

        A body that starts like gzip is inflated first, within a bound; it is also
        tried as it came, since the magic bytes prove nothing.
        """
        inflated = _inflate(body) if body.startswith(GZIP_MAGIC) else None
        candidates = [body] if inflated is None else [inflated, body]
        return any(is_signed(candidate, signature, self._secrets) for candidate in candidates)


def _inflate(body: bytes) -> bytes | None:
    """Return the content of one whole gzip member, or None: broken, cut, or more than that."""
    member = zlib.decompressobj(wbits=31)

    try:
        content = member.decompress(body, LARGEST_EVENT)
    except zlib.error:
        return None

    return content if member.eof and not member.unused_data else None
