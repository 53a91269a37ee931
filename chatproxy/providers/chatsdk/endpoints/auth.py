"""`/api/auth`: tokens as the vendor's client asks for them, `ChatSDK` and its `TokenManager`."""

import logging
from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import TokenRevoked
from chatproxy.identity.records import Profile
from chatproxy.metrics.table import TOKENS_REVOKED
from chatproxy.providers.chatsdk.claims import Holder, new_id
from chatproxy.providers.chatsdk.endpoints import api
from chatproxy.providers.chatsdk.endpoints.access import Client, Service, client_with
from chatproxy.providers.chatsdk.endpoints.schemas import refresh_token
from chatproxy.providers.chatsdk.endpoints.tokens import (
    counted_exchange,
    counted_user,
    holder_of,
)
from chatproxy.providers.chatsdk.errors import NO_REFRESH_TOKEN
from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.web import guards
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, directory, now, provider
from chatproxy.web.parsing import header

log = logging.getLogger(__name__)

connecting = Blueprint("chatsdk-connecting", __name__)
renewal = Blueprint("chatsdk-renewal", __name__)

for one in (connecting, renewal):
    one.after_request(api.cross_origin.mark)

USED = "Refresh token replay detected"


def renewing_client() -> Client:
    """Let a client in by its `refreshToken`, or by a `token` that may be exchanged.

    The vendor's `ChatSDK` sends it in `Authorization`, its `TokenManager` in the body.
    """
    in_header = header("Authorization") is not None
    token = guards.bearer(missing=NO_REFRESH_TOKEN) if in_header else refresh_token()
    chatsdk = provider(ChatSDK)

    if chatsdk.tokens.refresh.has_signed(token):
        return client_with(token, chatsdk.tokens.refresh)

    return client_with(token, chatsdk.tokens.exchangeable, chatsdk.refresh_grace)


@connecting.post("")
def connect() -> Response:
    """Issue tokens for the user whom the service names, who is made or changed on the way."""
    service = authenticated(Service)
    user_id, profile = service.requested
    user, count = counted_user(service)
    holder = Holder(user.app_id, user_id, user.version, new_id())
    answer = private({"user": _echo(user_id, profile)} | _tokens(holder))
    answer.headers.update(count.headers())
    return answer


@renewal.post("")
def renew() -> Response:
    """Issue new tokens for a `refreshToken`, which is used up, or for a `token`."""
    client = authenticated(Client)
    count = counted_exchange(client)

    # Only a refresh token gets here with a family.
    if client.issued.family is not None:
        _use_up(client, client.issued.family)

    answer = private(_tokens(holder_of(client)))
    answer.headers.update(count.headers())
    return answer


def _use_up(client: Client, family: str) -> None:
    issued, revocation = client.issued, directory().tokens

    if revocation.revoke_token(issued.app_id, str(issued.token_id), issued.expires):
        return

    # Either the client or a thief was the first. As at the vendor, all that came of it ends.
    until = provider(ChatSDK).tokens.family_end(now())
    revocation.revoke_token(issued.app_id, family, until)
    TOKENS_REVOKED.add(ChatSDK.name)
    log.warning("a refresh token was used twice, so its tokens are revoked")
    raise TokenRevoked(USED)


def _tokens(holder: Holder) -> dict[str, Any]:
    tokens = provider(ChatSDK).tokens
    made = tokens.make(holder, now())
    # What came without a refresh token is exchanged by the token itself, the next time as well.
    refresh = made["token"] if holder.family is None else tokens.make_refresh(holder, now())
    return {
        "token": made["token"],
        "refreshToken": refresh,
        "expiresIn": made["expiresIn"],
        "_internal": {"wsToken": made["wsToken"]},
    }


def _echo(user_id: str, profile: Profile) -> dict[str, Any]:
    # As the vendor answers: what the request said, with these defaults.
    email = {} if profile.email is None else {"email": profile.email}
    return {
        "id": user_id,
        "displayName": profile.name or user_id,
        "avatar": profile.image,
        "metadata": {**(profile.custom or {}), **email},
    }
