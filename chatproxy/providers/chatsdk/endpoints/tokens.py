"""`/tokens`: issue, refresh and validate ChatSDK's tokens."""

from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import ChatproxyError
from chatproxy.formats.objects import without_none
from chatproxy.formats.rates import Rate
from chatproxy.formats.timestamps import iso
from chatproxy.identity.records import Profile, User
from chatproxy.identity.token_records import Issued
from chatproxy.limiting.limiter import Count
from chatproxy.providers.chatsdk.claims import Holder
from chatproxy.providers.chatsdk.endpoints.access import Client, Service
from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.web import access
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, directory, limiter, now, provider, services

issuing = Blueprint("chatsdk-tokens", __name__)
exchange = Blueprint("chatsdk-exchange", __name__)
validation = Blueprint("chatsdk-validation", __name__)
websocket_validation = Blueprint("chatsdk-websocket-validation", __name__)

TOO_MANY = "Too many token requests, please try again later"


@issuing.post("")
def issue() -> Response:
    """Issue both tokens for a user, who is created or updated on the way."""
    service = authenticated(Service)
    user_id, profile = service.requested
    user, count = counted_user(service)
    tokens = provider(ChatSDK).tokens.make(Holder(user.app_id, user_id, user.version), now())
    answer = private(tokens | {"user": _echo(user_id, profile)})
    answer.headers.update(count.headers())
    return answer


def counted_user(service: Service) -> tuple[User, Count]:
    """Make or change the user who is to get tokens, where the service may have more of them."""
    key, (user_id, profile) = service.key, service.requested
    access.acts_for(user_id)
    subject = f"tokens {key.id} {key.app_id} {user_id}"
    # Counted before the user is written, so that a refused request changes nothing.
    count = _spend(subject)

    try:
        user, _ = directory().users.upsert(key.app_id, user_id, profile, known=service.user)
    except ChatproxyError:
        limiter().give_back(subject, _rate())  # no token was issued
        raise

    return user, count


@exchange.post("")
def refresh() -> Response:
    """Issue new tokens for one that is valid, or expired within the refresh grace."""
    client = authenticated(Client)
    count = counted_exchange(client)
    answer = private(provider(ChatSDK).tokens.make(holder_of(client), now()))
    answer.headers.update(count.headers())
    return answer


def counted_exchange(client: Client) -> Count:
    """Count that a client gets new tokens for its own; raise `TooManyRequests`."""
    return _spend(f"exchanged tokens {client.issued.app_id} {client.issued.user_id}")


def holder_of(client: Client) -> Holder:
    """Return for whom new tokens are made in place of the client's."""
    issued = client.issued
    # The version is the one that was checked. If the user is revoked in between, the new
    # tokens are revoked as well.
    return Holder(issued.app_id, issued.user_id, client.standing.version, issued.family)


@validation.get("")
def validate() -> Response:
    """Answer the claims of a `token`, and its user if the directory has it."""
    client = authenticated(Client)
    user = None if client.standing.user is None else _user_body(client.standing.user)
    return private({"valid": True, "payload": _payload(client.issued), "user": user})


@websocket_validation.get("")
def validate_websocket() -> Response:
    """Answer the claims of a `wsToken`."""
    return private({"valid": True, "payload": _payload(authenticated(Client).issued)})


def _spend(subject: str) -> Count:
    return limiter().spend(subject, _rate(), TOO_MANY, limit="tokens")


def _rate() -> Rate:
    settings = services().settings.limiter
    assert settings is not None  # noqa: S101 - it is there where the limiter is
    return settings.token_rate


def _echo(user_id: str, profile: Profile) -> dict[str, Any]:
    # The vendor answers what the request said, not what is stored, and leaves out the rest.
    return without_none({"id": user_id, "name": profile.name, "image": profile.image})


def _user_body(user: User) -> dict[str, Any]:
    return {"id": user.external_id, "name": user.name, "image": user.image}


def _payload(issued: Issued) -> dict[str, Any]:
    return {
        "userId": issued.user_id,
        "appId": issued.app_id,
        "issuedAt": iso(issued.issued),
        "expiresAt": iso(issued.expires),
    }
