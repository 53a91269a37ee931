"""Signing in on a socket: its token and client key, as its events name them."""

import dataclasses

from chatproxy.errors import CallerError, ChatproxyError
from chatproxy.identity.token_records import Binding
from chatproxy.providers.imkit.endpoints import access, clienttokens
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.web import current as current_request
from chatproxy.web.current import context, provider


def sign_in(text: str, device_id: str) -> Binding:
    """Return a token's owner, who was seen just now; raise a `CallerError`."""
    # The token may be signed with a secret that came while the socket was open.
    current_request.services().renew()
    token = clienttokens.without_bearer(text)
    clienttokens.check_device_id("deviceId", device_id)

    try:
        bound = clienttokens.find(provider(IMKit).app, token)
    except CallerError as error:  # answered on the socket, not as the request's error
        context().count_refusal(error)
        raise

    user = clienttokens.note_seen(bound.user, device_id)
    return dataclasses.replace(bound, user=user)


def check_client_key(text: str) -> None:
    """Let in whoever shows this client key; raise a `CallerError`."""
    current_request.services().renew()

    try:
        access.check_client_key(text)
    except ChatproxyError as error:
        context().count_refusal(error)
        raise
