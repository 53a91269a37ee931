"""The token with which imbachat.com calls the vendor's plugin for WordPress, instead of Basic.

It comes as `jwt_token` in the query: HS256, its key `API login`, a colon and `API password`. The
plugin asks for no claim. An `imba_id` has to be the widget's id, and a time is kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from chatproxy.errors import TokenRejected
from chatproxy.signing.tokens import check_times, signed_claims


def claims_of(token: str, login: str, passwords: Sequence[str]) -> Mapping[str, Any] | None:
    """Return what a token says; None where none of the pairs is its key."""
    # As imbachat.com has it the login may be spelt in another case than here; lower case is how
    # the vendor's plugins compare it. All are tried, so that the time does not tell which it was.
    logins = dict.fromkeys((login, login.lower()))
    keys = [f"{one}:{password}" for one in logins for password in passwords]
    found = [signed_claims(token, key) for key in keys]
    return next((claims for claims in found if claims is not None), None)


def is_in_force(claims: Mapping[str, Any], dev_id: str, now: float) -> bool:
    """Return whether a token is for this widget and this time, in epoch seconds."""
    try:
        check_times(claims, now)
    except TokenRejected:
        return False

    widget = claims.get("imba_id")
    return widget is None or (isinstance(widget, str | int) and str(widget) == dev_id)
