"""Who calls, as IMKit asks it: a platform by its API key, or a client by key and token.

Each header has a deprecated name too; the server in front lets those two with a `_` through
(`IMKitSettings.underscored`).
"""

import dataclasses
import logging

from chatproxy.errors import (
    CallerError,
    NotFound,
    TokenMalformed,
    TokenRejected,
    Unauthenticated,
)
from chatproxy.identity.records import Key, Kind, User
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.endpoints.paths import first_segment
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
from chatproxy.web import guards
from chatproxy.web.current import context, directory, provider
from chatproxy.web.parsing import BEARER, header, header_text

log = logging.getLogger(__name__)

LONGEST_DEVICE_ID = 255

#: Below these nothing is an IMKit server's, and no more than what the table names is here.
SERVED_HERE = frozenset({"badge", "verify", "socket.io"})
FOR_PLATFORMS = frozenset({"admin"})


@dataclasses.dataclass(frozen=True)
class Client:
    """A client, and the token that it showed; `legacy` where that came as `Authorization`."""

    bound: Binding
    token: str = dataclasses.field(repr=False)
    legacy: bool


def platform() -> Key:
    """Return the key of a platform caller; raise `Unauthenticated`, `Forbidden`."""
    text, legacy = _shown("IM-API-KEY", "API_KEY")

    if text:
        return _key(text, "platform", "API_KEY" if legacy else None)

    if header("IM-Client-Key") is not None or header("CLIENT_KEY") is not None:
        client()
        raise PermissionDenied("This call is made with a platform API key.")

    raise MissingAPIKey("Missing API key")


def caller() -> Client | None:
    """Return the client that calls, None for a platform caller, who may make every call."""
    if header("IM-API-KEY") or header("API_KEY"):
        platform()
        return None

    return client()


def forwarded_caller() -> Client | None:
    """Return who makes a call that is to be forwarded, None for a platform."""
    first = first_segment()

    if first in SERVED_HERE:
        raise NotFound("Nothing is served at this path.")

    if first in FOR_PLATFORMS:
        platform()
        return None

    return caller()


def client() -> Client:
    """Return the client that calls; raise `Unauthenticated`, `InvalidClientKey`."""
    text, legacy_key = _shown("IM-Client-Key", "CLIENT_KEY")

    if not text:
        raise MissingClientKey("Missing client key")

    key = _key(text, "client", "CLIENT_KEY" if legacy_key else None)
    found = _token(key)
    device_id = _device_id()
    directory().users.seen(found.bound.user)

    if device_id:
        directory().devices.note(found.bound.user.id, device_id)

    return found


def acting_user() -> User:
    """Return the user whom a client call is about: the client, or whom a platform names."""
    found = caller()

    if found is not None:
        return found.bound.user

    client_id = header_text("IM-CLIENT-ID")

    if not client_id:
        raise MissingParameter("A platform caller names the client in IM-CLIENT-ID.")

    user = directory().users.find(provider(IMKit).app, client_id)

    if user is None:
        raise ClientNotFound("Client not found")

    return user


def _shown(name: str, deprecated: str) -> tuple[str, bool]:
    """Return what a header holds, and whether only its deprecated name was used.

    Raises `CallerError` where the two hold different values: nobody could say which counts.
    """
    given = header(name)
    before = header(deprecated)

    if given is not None and before is not None and given != before:
        raise CallerError(f"{name} and {deprecated} hold different keys. Send one.")

    return (before or "", True) if given is None else (given, False)


def _key(text: str, kind: Kind, deprecated: str | None) -> Key:
    """Return a key in force of this app; note a deprecated name."""
    refusal = InvalidAPIKey if kind == "platform" else InvalidClientKey
    words = "Invalid API key" if kind == "platform" else "Invalid client key"

    try:
        key = guards.key(text, kind, refused=words)
    except Unauthenticated as error:
        raise refusal(words) from error

    if key.app_id != provider(IMKit).app:
        raise refusal(words, detail="the key is of another app than IMKIT_APP")

    if deprecated is not None:
        _note_deprecated(key, deprecated)

    return key


def _token(key: Key) -> Client:
    """Return whose token it is; `Authorization` is looked at only without `IM-Authorization`."""
    given = header("IM-Authorization")
    legacy = given is None
    text = bare((header("Authorization") or "") if given is None else given)

    if not text:
        raise TokenMalformed("Missing client token")

    try:
        bound = directory().opaque_tokens.check(key.app_id, text)
    except TokenRejected as error:
        guards.count_rejected(text, error)
        raise

    if legacy:
        _note_deprecated(key, "Authorization")

    return Client(bound, text, legacy)


def bare(text: str) -> str:
    """Return a token without a `Bearer` in front, which some callers send."""
    found = BEARER.fullmatch(text)
    return found[1] if found else text


def _device_id() -> str:
    """Return the id of the device, empty for none; raise `CallerError` for one of no use."""
    device_id = header_text("IM-DEVICE-ID") or ""

    if len(device_id) > LONGEST_DEVICE_ID or not device_id.isprintable():
        raise CallerError(f"IM-Device-ID is at most {LONGEST_DEVICE_ID} printable characters.")

    return device_id


def _note_deprecated(key: Key, name: str) -> None:
    """Log a deprecated header, once for each caller: somebody has to change it some day."""
    if provider(IMKit).is_first_use(key.id, name):
        fields = {"reqId": context().id, "keyId": key.id, "header": name}
        log.warning("a caller uses a deprecated header", extra=fields)
