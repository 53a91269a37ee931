"""`/imkit/admin/clients`: what a platform may do with clients and their tokens."""

from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import CallerError
from chatproxy.identity.token_records import OpaqueToken
from chatproxy.providers.imkit.endpoints import clientquery, schemas
from chatproxy.providers.imkit.endpoints.changing import changes
from chatproxy.providers.imkit.endpoints.paths import named_client
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.shapes import client_of, device_of, envelope, token_of
from chatproxy.web import access as document
from chatproxy.web.answers import private, private_listing
from chatproxy.web.current import directory, now, provider
from chatproxy.web.parsing import load, read_json, read_object

blueprint = Blueprint("imkit-clients", __name__)


@blueprint.post("")
def put() -> Response:
    """Create or update a client, with a new token, with a given one, or without."""
    body = load(schemas.NewClientBody, read_json())
    document.acts_for(body["id"])
    token = _requested_token(body)

    if token is None:
        return private(envelope(client_of(changes().put_client(body["id"], body["profile"]))))

    user = changes().bind(body["id"], token, body["profile"])
    return private(envelope(client_of(user) | token_of(token)))


@blueprint.post("/list")
def put_many() -> Response:
    """Create or update up to 100 clients, all or none, without tokens."""
    profiles = schemas.load_clients(read_json())
    document.acts_for(*profiles)
    changes().put_clients(profiles)
    return private(envelope({"count": len(profiles)}))


@blueprint.get("")
@document.shows()
def show_all() -> Response:
    """Answer the clients that match the query, with their devices."""
    document.acts_for_all()
    query = clientquery.read_query()
    users, total = directory().user_search.page(
        provider(IMKit).app, query.conditions, query.skip, query.limit
    )
    devices = directory().devices.of([user.id for user in users])
    rows = (
        client_of(user) | {"devices": [device_of(one) for one in devices[user.id]]}
        for user in users
    )
    return private_listing(envelope({"totalCount": total, "data": rows}))


# The vendor's library sends a slash at the end, its documents do not.
@blueprint.put("/<anything:client_id>/token")
@blueprint.put("/<anything:client_id>/token/")
def put_token(client_id: str) -> Response:  # noqa: ARG001 - read from the raw path
    """Bind a given token to a client that exists."""
    named = named_client()
    schemas.check_client_id(named)
    document.acts_for(named)
    body = load(schemas.TokenBody, read_json())
    token = OpaqueToken(body["token"], _expiry(body["expires"]))
    user = changes().bind(named, token)
    return private(envelope(client_of(user) | {"client": named} | token_of(token)))


@blueprint.delete("/<anything:client_id>/token")
@blueprint.delete("/<anything:client_id>/token/")
def delete_token(client_id: str) -> Response:  # noqa: ARG001 - read from the raw path
    """End one token of a client, or all of them."""
    named = named_client()
    document.acts_for(named)
    ended = changes().unbind(named, load(schemas.RevocationBody, read_object())["token"])
    result = {"success": True, "message": "Tokens revoked", "revokedTokens": ended}
    return private(envelope(result))


def _requested_token(body: dict[str, Any]) -> OpaqueToken | None:
    if body["issue"]:
        if body["token"] is not None or body["expires"] is not None:
            raise CallerError("issueAccessToken makes token and expirationDate: send one or other.")

        return directory().opaque_tokens.make(now() + provider(IMKit).token_ttl)

    if body["token"] is not None:
        return OpaqueToken(body["token"], _expiry(body["expires"]))

    if body["expires"] is not None:
        raise CallerError("expirationDate is that of a token, and there is none.")

    return None


def _expiry(expires: float | None) -> float:
    """Return when a token expires; raise `CallerError` if that is over."""
    # The guide and the vendor's library send a token without its expiry.
    if expires is None:
        return now() + provider(IMKit).token_ttl

    if expires <= now():
        raise CallerError("expirationDate is in the past.")

    return expires
