"""Who calls, as PerformChat asks it: a key's two halves in the JSON body, also of a GET."""

from typing import Any, cast

from marshmallow import EXCLUDE, Schema

from chatproxy.web import guards
from chatproxy.web.serving import directory, now, read_object, services
from chatproxy.errors import Unauthenticated
from chatproxy.identity.keys import Key
from chatproxy.providers.performchat.provider import PerformChat

REFUSED = "Invalid API credentials"


class Body(Schema):
    """What a body may hold beside the key. Unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "The body must be a JSON object."}  # noqa: RUF012


def performchat() -> PerformChat:
    """Return the provider."""
    return cast(PerformChat, services().routes[PerformChat.name].provider)


def body() -> dict[str, Any]:
    """Read the JSON object; without a body it is empty. Raises `MalformedBody`."""
    return read_object()


def platform_key(document: dict[str, Any]) -> Key:
    """Return the key whose halves are in the body; raise `Unauthenticated`."""
    key_id, secret = document.get("keyId"), document.get("keySecret")

    # A dot in the id would let the two be divided at another place.
    if not (isinstance(key_id, str) and isinstance(secret, str)) or "." in key_id:
        raise Unauthenticated(REFUSED)

    text = f"{key_id}.{secret}"

    try:
        return guards.key(text, "platform", refused=REFUSED, claimed=key_id)
    except Unauthenticated as error:
        ended = directory().keys.look_up(text)

        if ended is not None and ended.revoked is None and not ended.is_good(now()):
            raise Unauthenticated("API key has expired") from error

        raise
