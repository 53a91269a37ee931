"""One Stream application: its credentials, user tokens and webhook signatures.

Source: the vendor's REST documentation and its official SDKs.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chatproxy.errors import CallerError
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.providers.base import Dialect, Provider
from chatproxy.providers.events import Received
from chatproxy.providers.issuing import Inspection, Minted, Wanted
from chatproxy.providers.people import Ended, Given, Person, Reach
from chatproxy.providers.permissions import Ask, Request
from chatproxy.providers.stream import client_config, webhooks
from chatproxy.providers.stream.credentials import ServerCredentials
from chatproxy.providers.stream.errors import envelope
from chatproxy.providers.stream.people import People, fields_of, moment_after, shown
from chatproxy.providers.stream.permissions.export import export
from chatproxy.providers.stream.permissions.keeper import StreamPermissions
from chatproxy.providers.stream.permissions.today import look
from chatproxy.providers.stream.settings import StreamSettings
from chatproxy.providers.stream.tokens import BAD_USER_ID, UserTokens, is_user_id
from chatproxy.providers.stream.webhooks import faults, receiving
from chatproxy.providers.stream.webhooks.signatures import Signatures
from chatproxy.signing.tokens import mint

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
    signature_header = webhooks.HEADER
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
        secrets = settings.api_secrets
        server_token = settings.auth_token or mint({"server": True}, secrets[0])
        self._credentials = ServerCredentials(settings.api_key, server_token, secrets)
        self.people = People(self.name, self._credentials)

    def authorise(self) -> Credentials:
        """Return the key and the server token."""
        return self._credentials.put_in

    def check(self) -> Call:
        """Ask for the application's own settings, which needs the key and changes nothing."""
        return self._credentials.call("GET", "/app")

    def permissions_call(self, request: Request) -> Call:
        """Return a call about permissions, as the customer's server makes it."""
        return self._credentials.call(request.method, request.path, body=request.content())

    def export_permissions(self, ask: Ask, version: str | None) -> Mapping[str, Any]:
        """Return what there is at Stream, as a document of a version, else of that of the settings.

        Raises `UpstreamError`.
        """
        version = version or self.permissions_version
        return export(look(ask, version), version)

    def mint(self, wanted: Wanted, directory: object, now: float) -> Minted:  # noqa: ARG002
        """Make a user token; the user need not exist."""
        return self.tokens.mint(wanted, now)

    def inspect(self, token: str, directory: object, now: float) -> Inspection | None:  # noqa: ARG002
        """Return what a token says. Whether it was revoked only Stream knows."""
        return self.tokens.inspect(token, now)

    def id_fault(self, user_id: str) -> str:
        """Return why Stream can have nobody with this id."""
        return "" if is_user_id(user_id) else BAD_USER_ID

    def give(self, person: Person, reach: Reach) -> Given:
        """Make a user token. What is said about the user is told to Stream, nothing else is."""
        if fields := fields_of(person.profile):
            self.people.ensure(reach, person.user_id, fields)

        texts = {"token": self.tokens.make(person.user_id, reach.now)}
        connect = {"apiKey": self.api_key, "baseUrl": self.base_url}
        return Given(texts, self.tokens.end(reach.now), connect)

    def who(self, user_id: str, reach: Reach) -> Mapping[str, Any] | None:
        """Return what Stream says of a user, in its own words."""
        found = self.people.find(reach, user_id)
        return None if found is None else {"user": shown(found)}

    def end_user(
        self,
        user_id: str,
        app: str,  # noqa: ARG002
        reach: Reach,
        *,
        even_unused: bool = False,
    ) -> Ended:
        """End a user's tokens at Stream.

        Where it has no such user it has no place for the moment: with `even_unused` the user is
        made, otherwise `UnknownUser` is raised.
        """
        if not is_user_id(user_id):
            raise CallerError(BAD_USER_ID)

        if even_unused:
            self.people.ensure(reach, user_id, {})

        return self.people.end_tokens(reach, user_id, moment_after(reach.now))

    def end_everybody(self, app: str, reach: Reach) -> Ended:  # noqa: ARG002
        """End the tokens of all users at Stream."""
        return self.people.end_all_tokens(reach, moment_after(reach.now))

    def sign_event(self, body: bytes) -> Mapping[str, str]:
        """Return the headers with which Stream sends an event; a compressed one is inflated."""
        return {webhooks.HEADER: self.signatures.sign(body), webhooks.KEY_HEADER: self.api_key}

    def received(
        self, body: bytes, header: Callable[[str], str | None], *, unsigned: bool
    ) -> Received:
        """Return the event in a call of Stream's, or in a queue's message."""
        return receiving.received(body, header, self.api_key, self.signatures, unsigned=unsigned)

    def event_fault(self, body: bytes, signature: str) -> str:
        """Return why a signature is not right for an event; empty where it is."""
        return faults.fault(body, signature, self.signatures.secrets, self.signatures.is_right)


def _permissions(settings: StreamSettings) -> StreamPermissions | None:
    if (mounted := settings.permissions_config) is None:
        return None

    creates = settings.permissions_create_types == "true"
    return StreamPermissions(mounted.content, creates_types=creates)
