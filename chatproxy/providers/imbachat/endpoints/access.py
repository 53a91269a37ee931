"""The guard for imbachat.com, which sends the widget's `API login` and `API password`."""

from chatproxy.errors import Unauthenticated
from chatproxy.providers.imbachat import basic
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.web import guards
from chatproxy.web.current import provider
from chatproxy.web.parsing import header

#: Message and challenge are those of the vendor's plugin for OctoberCMS.
REFUSED = "Authenticate required!"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Backend"'}


def only_imbachat() -> None:
    """Let imbachat.com in; raise `Unauthenticated`, `TooManyRequests`."""
    given = basic.read(header("Authorization") or "")

    if given is not None and provider(ImbaChat).is_imbachat(given):
        return

    # Only a wrong pair counts as a failure. A header that cannot be read is no guess.
    if given is not None:
        guards.count_failure_of_address()

    refusal = Unauthenticated(REFUSED)
    refusal.headers = CHALLENGE
    raise refusal
