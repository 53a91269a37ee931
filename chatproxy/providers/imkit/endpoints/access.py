"""IMKit's guards: a platform by its API key, or a client by client key and token.

Each header has a deprecated name as well. gunicorn drops headers with a `_` in their name;
`IMKitSettings.underscored` lists the two that it lets through (decision 0015).
"""

import dataclasses
import logging

from chatproxy.errors import CallerError, NotFound, TokenMalformed, Unauthenticated
from chatproxy.identity.records import Key, Kind, User
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.endpoints import clienttokens
from chatproxy.providers.imkit.endpoints.paths import is_below
from chatproxy.providers.imkit.errors import (
    ClientNotFound,
    InvalidAPIKey,
    InvalidClientKey,
    MissingAPIKey,
    MissingClientKey,
    MissingParameter,
    PermissionDenied,
)
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.web import access as document
from chatproxy.web import guards
from chatproxy.web.current import directory, provider, serves
from chatproxy.web.parsing import header, header_text

log = logging.getLogger(__name__)

#: Below these paths nothing is forwarded: what the routes do not name is a 404.
SERVED_HERE = frozenset({"badge", "verify", "socket.io"})
#: Below these a client gets a 403, whatever it asks the IMKit server for.
FOR_PLATFORMS = frozenset({"admin"})
#: Below these there is nothing at the door of clients. `badge` and `proxy` have no guard.
FOR_SERVICES = FOR_PLATFORMS | {"badge", "proxy"}


@dataclasses.dataclass(frozen=True)
class Client:
    """A client and its token; `legacy` if the token came in `Authorization`."""

    bound: Binding
    token: str = dataclasses.field(repr=False)
    legacy: bool


def platform() -> Key:
    """Let a platform in by its API key; raise `Unauthenticated`, `Forbidden`."""
    text, legacy = _header_or_deprecated("IM-API-KEY", "API_KEY")

    if text:
        return _check_key(text, "platform", "API_KEY" if legacy else None)

    if header("IM-Client-Key") is not None or header("CLIENT_KEY") is not None:
        client()  # a client with bad credentials gets the error for those
        raise PermissionDenied("This call is made with a platform API key.")

    raise MissingAPIKey("Missing API key")


def caller() -> Client | None:
    """Let in a client, or a platform, for which this returns None. A platform may do everything.

    Where clients have a door of their own, each is let in at its own only.
    """
    if _is_platform():
        platform()
        return None

    return client()


def is_for_platforms() -> bool:
    """Say whether the call is one that a platform makes; raise `BadTarget`."""
    return serves("service") and (_is_platform() or is_below(FOR_PLATFORMS))


def _is_platform() -> bool:
    return not serves("client") or (
        serves("service") and bool(header("IM-API-KEY") or header("API_KEY"))
    )


def forwarded_caller() -> Client | None:
    """Let in the caller of a call to be forwarded; return None for a platform."""
    if is_below(SERVED_HERE):
        raise NotFound("Nothing is served at this path.")

    check_door()

    if is_below(FOR_PLATFORMS):
        platform()
        return None

    return caller()


def check_door() -> None:
    """Raise `NotFound` for what is at the service's door only."""
    if not serves("service") and is_below(FOR_SERVICES):
        raise NotFound("Nothing is served at this path.")


def client() -> Client:
    """Let in a client by its key and token; raise `Unauthenticated`, `InvalidClientKey`."""
    text, legacy_key = _header_or_deprecated("IM-Client-Key", "CLIENT_KEY")

    if not text:
        raise MissingClientKey("Missing client key")

    key = _check_key(text, "client", "CLIENT_KEY" if legacy_key else None)
    found = _read_token(key)
    device_id = header_text("IM-DEVICE-ID") or ""
    clienttokens.check_device_id("IM-Device-ID", device_id)
    clienttokens.note_seen(found.bound.user, device_id)
    return found


def check_client_key(text: str) -> Key:
    """Let in whoever shows this client key; raise `InvalidClientKey`, `TooManyRequests`."""
    return _check_key(text, "client", None)


def acting_user() -> User:
    """Let in a client or a platform; return the user whom the call is about."""
    found = caller()

    if found is not None:
        return found.bound.user

    client_id = header_text("IM-CLIENT-ID")

    if not client_id:
        raise MissingParameter("A platform caller names the client in IM-CLIENT-ID.")

    document.acts_for(client_id)

    user = directory().users.find(provider(IMKit).app, client_id)

    if user is None:
        raise ClientNotFound("Client not found")

    return user


def _header_or_deprecated(name: str, deprecated: str) -> tuple[str, bool]:
    """Return a header's value, and whether only its deprecated name was used."""
    given = header(name)
    before = header(deprecated)

    # Neither could be preferred: a proxy in front may have set one and let the other through.
    if given is not None and before is not None and given != before:
        raise CallerError(f"{name} and {deprecated} hold different keys. Send one.")

    return (before or "", True) if given is None else (given, False)


def _check_key(text: str, kind: Kind, deprecated: str | None) -> Key:
    refusal = InvalidAPIKey if kind == "platform" else InvalidClientKey
    message = "Invalid API key" if kind == "platform" else "Invalid client key"

    try:
        key = guards.key(text, kind, refused=message)
    except Unauthenticated as error:
        raise refusal(message) from error

    if key.app_id != provider(IMKit).app:
        raise refusal(message, detail="the key is of another app than IMKIT_APP")

    if deprecated is not None:
        _note_deprecated(key, deprecated)

    return key


def _read_token(key: Key) -> Client:
    # Beside `IM-Authorization` the other header may be meant for somebody else, such as S3.
    given = header("IM-Authorization")
    legacy = given is None
    text = clienttokens.without_bearer(header("Authorization") or "" if legacy else given or "")

    if not text:
        raise TokenMalformed("Missing client token")

    bound = clienttokens.find(key.app_id, text)

    if legacy:
        _note_deprecated(key, "Authorization")

    return Client(bound, text, legacy)


def _note_deprecated(key: Key, name: str) -> None:
    # Once for each key: the operator has to find who still sends it, not how often.
    if provider(IMKit).is_first_use(key.id, name):
        fields = {"keyId": key.id, "header": name}
        log.warning("a caller uses a deprecated header", extra=fields)
