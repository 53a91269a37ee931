"""The guard for imbachat.com, which knows the widget's `API login` and `API password`.

It sends them as Basic, or, to a site with the vendor's plugin for WordPress, a token that they
signed. Which of the two comes is imbachat.com's choice, whatever URL it calls: both are taken
everywhere. Where there is a token it alone counts, as in that plugin.
"""

from collections.abc import Sequence

from chatproxy.errors import Unauthenticated
from chatproxy.formats.compact_jwt import is_compact_jwt
from chatproxy.providers.imbachat import basic
from chatproxy.providers.imbachat.provider import ImbaChat
from chatproxy.web import guards
from chatproxy.web.current import now, provider
from chatproxy.web.parsing import header, query_values

#: Message and challenge are those of the vendor's plugin for OctoberCMS.
REFUSED = "Authenticate required!"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Backend"'}


def only_imbachat() -> None:
    """Let imbachat.com in; raise `Unauthenticated`, `TooManyRequests`."""
    tokens = [one for one in query_values("jwt_token") if one]

    if _are_right(tokens) if tokens else _is_right_pair():
        return

    refusal = Unauthenticated(REFUSED)
    refusal.headers = CHALLENGE
    raise refusal


def _is_right_pair() -> bool:
    given = basic.read(header("Authorization") or "")

    if given is not None and provider(ImbaChat).is_imbachat(given):
        return True

    # Only a wrong pair counts as a failure. A header that cannot be read is no guess.
    if given is not None:
        guards.count_failure_of_address()

    return False


def _are_right(tokens: Sequence[str]) -> bool:
    if len(tokens) != 1:
        return False

    (token,) = tokens
    claims = provider(ImbaChat).claims_of(token)

    # The same holds for tokens. One that has expired was right once.
    if claims is None and is_compact_jwt(token):
        guards.count_failure_of_address()

    return claims is not None and provider(ImbaChat).is_in_force(claims, now())
