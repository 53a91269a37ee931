"""One Stream application: its credentials, user tokens and webhook signatures.

Source: the vendor's REST documentation and its official SDKs.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from chatproxy.errors import CallerError
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.providers.base import Dialect, Provider
from chatproxy.providers.issuing import Inspection, Minted, Wanted
from chatproxy.providers.permissions import Ask, Request
from chatproxy.providers.stream import client_config, webhooks
from chatproxy.providers.stream.errors import envelope
from chatproxy.providers.stream.permissions.export import export
from chatproxy.providers.stream.permissions.keeper import StreamPermissions
from chatproxy.providers.stream.permissions.today import look
from chatproxy.providers.stream.settings import StreamSettings
from chatproxy.providers.stream.tokens import UserTokens
from chatproxy.providers.stream.webhooks import faults
from chatproxy.providers.stream.webhooks.signatures import Signatures
from chatproxy.signing.tokens import mint

#: Names of headers and query fields in which Stream could find a credential of the caller.
RESERVED = frozenset({"api_key", "api_secret", "authorization", "stream_auth_type"})

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
        self.signatures = Signatures(settings.api_secrets)
        self.permissions = _permissions(settings)
        self.permissions_version = settings.permissions_version
        self.tokens = UserTokens(settings)
        server_token = settings.auth_token or mint({"server": True}, settings.api_secrets[0])
        self._credentials = Credentials(
            query=[("api_key", settings.api_key)],
            headers=[("Authorization", server_token), ("stream-auth-type", "jwt")],
            reserved=RESERVED,
            made_from=settings.api_secrets,
        )

    def authorise(self) -> Credentials:
        """Return the key and the server token, which Stream takes without `Bearer`."""
        return self._credentials

    def check(self) -> Call:
        """Ask for the application's own settings, which needs the key and changes nothing."""
        ours = self._credentials
        return Call.own("GET", "/app", query=ours.query, headers=ours.headers)

    def permissions_call(self, request: Request) -> Call:
        """Return a call about permissions, as the customer's server makes it."""
        ours = self._credentials
        body = request.content()
        kind = [] if body is None else [("Content-Type", "application/json")]
        headers = [*ours.headers, *kind]
        return Call.own(request.method, request.path, query=ours.query, headers=headers, body=body)

    def export_permissions(self, ask: Ask, version: str | None) -> Mapping[str, Any]:
        """Return what there is at Stream, as a document of a version, else of that of the settings.

        Raises `UpstreamError`.
        """
        return export(look(ask), version or self.permissions_version)

    def mint(self, wanted: Wanted, directory: object, now: float) -> Minted:  # noqa: ARG002
        """Make a user token; the user need not exist."""
        return self.tokens.mint(wanted, now)

    def inspect(self, token: str, directory: object, now: float) -> Inspection | None:  # noqa: ARG002
        """Return what a token says. Whether it was revoked only Stream knows."""
        return self.tokens.inspect(token, now)

    def sign_event(self, body: bytes) -> Mapping[str, str]:
        """Return the headers with which Stream sends an event; a compressed one is inflated."""
        return {webhooks.HEADER: self.signatures.sign(body), webhooks.KEY_HEADER: self.api_key}

    def event_fault(self, body: bytes, signature: str) -> str:
        """Return why a signature is not right for an event; empty where it is."""
        return faults.fault(body, signature, self.signatures.secrets, self.signatures.is_right)


def _permissions(settings: StreamSettings) -> StreamPermissions | None:
    if (mounted := settings.permissions_config) is None:
        return None

    creates = settings.permissions_create_types == "true"
    return StreamPermissions(mounted.content, creates_types=creates)
