"""Who calls: imbachat.com shows the widget's `API login` and `API password`."""

from chatproxy.errors import Unauthenticated
from chatproxy.providers.imbachat import basic
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.web import guards
from chatproxy.web.current import provider
from chatproxy.web.parsing import header

REFUSED = "Authenticate required!"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Backend"'}


def only_imbachat() -> None:
    """Let imbachat.com pass; raise `Unauthenticated`, `TooManyRequests`.

    What cannot be read guesses nothing, so only a wrong pair is counted.
    """
    given = basic.read(header("Authorization") or "")

    if given is not None and provider(ImbaChat).is_imbachat(given):
        return

    if given is not None:
        guards.count_failure(f"address {guards.address()}")

    refusal = Unauthenticated(REFUSED)
    refusal.headers = CHALLENGE
    raise refusal
