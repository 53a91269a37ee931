"""A client's token and device, as the socket's events and the headers of a request name them."""

from chatproxy.errors import CallerError, TokenRejected
from chatproxy.identity.records import User
from chatproxy.identity.token_records import Binding
from chatproxy.web import guards
from chatproxy.web.current import directory
from chatproxy.web.parsing import BEARER

LONGEST_DEVICE_ID = 255


def without_bearer(text: str) -> str:
    """Return a token without the `Bearer` that some callers put before it."""
    found = BEARER.fullmatch(text)
    return found[1] if found else text


def find(app_id: str, token: str) -> Binding:
    """Return the token's owner; raise a `TokenRejected`, `TooManyRequests`."""
    try:
        return directory().opaque_tokens.check(app_id, token)
    except TokenRejected as error:
        guards.count_rejected(token, error)
        raise


def check_device_id(name: str, device_id: str) -> None:
    """Refuse an id that cannot be stored; raise `CallerError`. It may be empty."""
    if len(device_id) > LONGEST_DEVICE_ID or not device_id.isprintable():
        raise CallerError(f"{name} is at most {LONGEST_DEVICE_ID} printable characters.")


def note_seen(user: User, device_id: str) -> User:
    """Note that the user was seen, and on which device if it names one."""
    user = directory().users.seen(user)

    if device_id:
        directory().devices.note(user.id, device_id)

    return user
