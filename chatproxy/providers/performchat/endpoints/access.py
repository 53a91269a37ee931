"""PerformChat's guard: an API key as `keyId` and `keySecret` in the JSON body, even of a GET."""

import dataclasses
from collections.abc import Callable
from typing import Any

from chatproxy.errors import Unauthenticated
from chatproxy.identity.records import Key
from chatproxy.web import access, guards
from chatproxy.web.current import directory, now
from chatproxy.web.parsing import read_object

REFUSED = "Invalid API credentials"


@dataclasses.dataclass(frozen=True)
class Company:
    """A calling company: its API key, what the request asks for, and which page of it."""

    key: Key
    requested: Any = dataclasses.field(repr=False)
    page: Any = None

    @property
    def app_id(self) -> str:
        """The app of the company's key."""
        return self.key.app_id


class PlatformKey:
    """Lets a company in by the key in its body.

    `requested` reads the rest of the body. It runs before the key is checked, because the
    vendor reports a bad body (400) before a bad key (401). `page` reads the query before that.
    """

    def __init__(
        self,
        requested: Callable[[dict[str, Any]], Any] = lambda _document: None,
        *,
        page: Callable[[], Any] = lambda: None,
    ) -> None:
        self._requested = requested
        self._page = page

    def __call__(self) -> Company:
        """Return the company; raise `CallerError`, `Unauthenticated`, `TooManyRequests`."""
        page = self._page()
        document = read_object()
        requested = self._requested(document)
        return Company(_read_key(document), requested, page)


def check_access(our_id: str) -> None:
    """Raise `CallerNotAllowed` if the caller may not act for a user, named by our own id."""
    # The document names users as the company does. It is asked for only where it names some.
    if access.is_restricted():
        user = None if "\0" in our_id else directory().users.find_by_our_id(our_id)
        access.acts_for("" if user is None else user.external_id)


def _read_key(document: dict[str, Any]) -> Key:
    key_id, secret = document.get("keyId"), document.get("keySecret")

    # The two are joined by a dot. With a dot in the id they could be split elsewhere.
    if not (isinstance(key_id, str) and isinstance(secret, str)) or "." in key_id:
        raise Unauthenticated(REFUSED)

    text = f"{key_id}.{secret}"

    try:
        return guards.key(text, "platform", refused=REFUSED, claimed=key_id)
    except Unauthenticated as error:
        # The vendor has its own message for an expired key. Only whoever knows the secret of
        # the key gets it.
        ended = directory().keys.find_even_ended(text)

        if ended is not None and ended.revoked is None and not ended.is_good(now()):
            raise Unauthenticated("API key has expired") from error

        raise
