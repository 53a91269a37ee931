"""Who calls, as PerformChat asks it: a key's two halves in the JSON body, also of a GET."""

import dataclasses
from collections.abc import Callable
from typing import Any

from marshmallow import EXCLUDE, Schema

from chatproxy.errors import Unauthenticated
from chatproxy.identity.keys import Key
from chatproxy.web import guards
from chatproxy.web.current import directory, now
from chatproxy.web.parsing import read_object

REFUSED = "Invalid API credentials"


class Body(Schema):
    """What a body may hold beside the key. Unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "The body must be a JSON object."}  # noqa: RUF012


@dataclasses.dataclass(frozen=True)
class Company:
    """A company that calls: its key, and what it asks for."""

    key: Key
    requested: Any

    @property
    def app_id(self) -> str:
        """The app that the company's key is of."""
        return self.key.app_id


class PlatformKey:
    """Lets a company in by the key in its body.

    `requested` reads the rest of the body, or what else the call asks for. It comes first: at
    the vendor's a fault in the body is told before one in the key.
    """

    def __init__(self, requested: Callable[[dict[str, Any]], Any] = dict) -> None:
        self._requested = requested

    def __call__(self) -> Company:
        """Return the company; raise `CallerError`, `Unauthenticated`, `TooManyRequests`."""
        document = read_object()
        requested = self._requested(document)
        return Company(_read_key(document), requested)


def _read_key(document: dict[str, Any]) -> Key:
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
