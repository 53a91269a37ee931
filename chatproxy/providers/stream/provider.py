"""One Stream application: its credentials, user tokens and webhook signatures.

Source: the vendor's REST documentation and its official SDKs.
"""

import contextlib
import zlib
from collections.abc import Iterator, Mapping
from functools import partial

from chatproxy.errors import CallerError
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.providers.base import Dialect, Provider
from chatproxy.providers.issuing import Inspection, Minted, Wanted
from chatproxy.providers.stream import client_config, webhooks
from chatproxy.providers.stream.errors import envelope
from chatproxy.providers.stream.settings import StreamSettings
from chatproxy.providers.stream.tokens import UserTokens
from chatproxy.signing.digests import is_signed, signature_of
from chatproxy.signing.tokens import mint

#: Names of headers and query fields in which Stream could find a credential of the caller.
RESERVED = frozenset({"api_key", "api_secret", "authorization", "stream_auth_type"})

#: The first bytes of every gzip member (RFC 1952 section 2.3.1).
GZIP_MAGIC = b"\x1f\x8b"

#: Bytes that a compressed event may inflate to. Stream's own events stay far below; the limit
#: keeps a small body from filling the memory.
LARGEST_EVENT = 10 * 1024 * 1024

#: Bytes of an event that are inflated and hashed at once. zlib copies what it has not read yet
#: with each piece that it gives, so it is fed little.
PIECE = 64 * 1024
COMPRESSED_PIECE = 4 * 1024

NO_WEBSOCKET = (
    "WebSockets are not proxied. Clients connect to wss://chat.stream-io-api.com/connect "
    "themselves, with the API key and a user token."
)


class Stream(Provider):
    """The settings of one Stream application, and the calls to its server.

    A 401 is about its key or server token: the vendor's codes 2, 5, 40-43.
    """

    name = "stream"
    needed = "STREAM_BASE_URL"
    mounts = ("/proxy",)
    dialect = Dialect(envelope, partial(CallerError, NO_WEBSOCKET))

    def __init__(self, settings: StreamSettings) -> None:
        self.api_key = settings.api_key
        self.base_url = settings.base_url
        self.error_object_key = settings.error_object_key
        self.user_id_prefixes = settings.user_id_strip_prefix
        style = settings.style_config
        self.client_config = {} if style is None else client_config.parse(style.content)
        self._secrets = settings.api_secrets
        self.tokens = UserTokens(settings)
        server_token = settings.auth_token or mint({"server": True}, self._secrets[0])
        self._credentials = Credentials(
            query=[("api_key", settings.api_key)],
            headers=[("Authorization", server_token), ("stream-auth-type", "jwt")],
            reserved=RESERVED,
            made_from=self._secrets,
        )

    def authorise(self) -> Credentials:
        """Return the key and the server token, which Stream takes without `Bearer`."""
        return self._credentials

    def check(self) -> Call:
        """Ask for the application's own settings, which needs the key and changes nothing."""
        ours = self._credentials
        return Call.own("GET", "/app", query=ours.query, headers=ours.headers)

    def mint(self, wanted: Wanted, directory: object, now: float) -> Minted:  # noqa: ARG002
        """Make a user token; the user need not exist."""
        return self.tokens.mint(wanted, now)

    def inspect(self, token: str, directory: object, now: float) -> Inspection | None:  # noqa: ARG002
        """Return what a token says. Whether it was revoked only Stream knows."""
        return self.tokens.inspect(token, now)

    def sign_event(self, body: bytes) -> Mapping[str, str]:
        """Return the headers with which Stream sends an event; a compressed one is inflated."""
        pieces = _pieces(body, PIECE)

        if body.startswith(GZIP_MAGIC):
            with contextlib.suppress(zlib.error):
                pieces = iter([*_inflated(body)])

        signature = signature_of(pieces, self._secrets[0])
        return {webhooks.HEADER: signature, webhooks.KEY_HEADER: self.api_key}

    def event_fault(self, body: bytes, signature: str) -> str:
        """Return why a signature is not right for an event; empty where it is."""
        return webhooks.fault(body, signature, len(self._secrets), self.verify_event)

    def verify_event(self, body: bytes, signature: bytes) -> bool:
        """Return whether `X-Signature` is right for a body, which may be compressed."""
        # Stream signs the uncompressed body. The bytes as they came are tried as well: they
        # may start like gzip by chance, and the vendor's older SDK call accepts them.
        if body.startswith(GZIP_MAGIC):
            with contextlib.suppress(zlib.error):
                if is_signed(_inflated(body), signature, self._secrets):
                    return True

        return is_signed(_pieces(body, PIECE), signature, self._secrets)


def _inflated(body: bytes) -> Iterator[bytes]:
    """Yield the content of exactly one complete gzip member; raise `zlib.error` for all else."""
    # Never whole: ten megabytes from a small body would keep the worker, and its memory.
    member, left = zlib.decompressobj(wbits=31), LARGEST_EVENT

    for rest in _pieces(body, COMPRESSED_PIECE):
        if member.eof:
            raise zlib.error("there is more after the member")

        content = b"-"

        # A full piece may not have been all of it, even if no input is left.
        while rest or len(content) == PIECE:
            content = member.decompress(rest, PIECE)
            left -= len(content)

            if left < 0 or member.unused_data:
                raise zlib.error("too large, or more than one member")

            yield content
            rest = member.unconsumed_tail

    if not member.eof:
        raise zlib.error("the member is cut")


def _pieces(body: bytes, size: int) -> Iterator[bytes]:
    return (body[start : start + size] for start in range(0, len(body), size))
