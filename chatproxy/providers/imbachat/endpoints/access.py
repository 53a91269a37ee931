"""Who calls: imbachat.com shows the widget's `API login` and `API password`."""

from typing import cast

from flask import request

from chatproxy.web import guards
from chatproxy.web.serving import services
from chatproxy.errors import Unauthenticated
from chatproxy.providers.imbachat import basic
from chatproxy.providers.imbachat.provider import ImbaChat

REFUSED = "Authenticate required!"
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Backend"'}


def imbachat() -> ImbaChat:
    """Return the provider."""
    return cast(ImbaChat, services().routes[ImbaChat.name].provider)


def only_imbachat() -> None:
    """Let imbachat.com pass; raise `Unauthenticated`, `TooManyRequests`.

    What cannot be read guesses nothing, so only a wrong pair is counted.
    """
    given = basic.read(request.environ.get("HTTP_AUTHORIZATION", ""))

    if given is not None and imbachat().is_imbachat(given):
        return

    if given is not None:
        guards.count_failure(f"address {request.remote_addr}")

    refusal = Unauthenticated(REFUSED)
    refusal.headers = CHALLENGE
    raise refusal
