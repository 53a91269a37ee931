"""`/imkit/admin/clients`: what a platform does with its clients and their tokens."""

from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import CallerError
from chatproxy.identity.token_records import OpaqueToken
from chatproxy.providers.imkit.endpoints import changes, clientquery, schemas
from chatproxy.providers.imkit.endpoints.paths import named_client
from chatproxy.providers.imkit.provider import IMKit
from chatproxy.providers.imkit.shapes import client_of, device_of, envelope, listed, token_of
from chatproxy.web.answers import private
from chatproxy.web.current import directory, now, provider
from chatproxy.web.parsing import load, read_json, read_object

blueprint = Blueprint("imkit-clients", __name__)


@blueprint.post("")
def put() -> Response:
    """Make or change a client, with a token made here, with one of its own, or without."""
    wanted = load(schemas.NewClientBody(), read_json())
    token = _wanted_token(wanted)

    if token is None:
        return private(envelope(client_of(changes.put_client(wanted["id"], wanted["profile"]))))

    user = changes.bind(wanted["id"], token, wanted["profile"])
    return private(envelope(client_of(user) | token_of(token)))


@blueprint.post("/list")
def put_many() -> Response:
    """Make or change up to 100 clients, all or none; no tokens are made."""
    profiles = schemas.load_clients(read_json())
    changes.put_clients(profiles)
    return private(envelope({"count": len(profiles)}))


@blueprint.get("")
def show_all() -> Response:
    """Answer the clients that fit, with their devices."""
    wanted = clientquery.asked()
    users, total = directory().user_search.page(
        provider(IMKit).app, wanted.conditions, wanted.skip, wanted.limit
    )
    devices = directory().devices.of([user.id for user in users])
    shown = [
        client_of(user) | {"devices": [device_of(one) for one in devices[user.id]]}
        for user in users
    ]
    return private(envelope(listed(shown, total)))


@blueprint.put("/<anything:client_id>/token")
@blueprint.put("/<anything:client_id>/token/")
def put_token(client_id: str) -> Response:  # noqa: ARG001 - read from the raw path
    """Bind a token to a client that is there."""
    named = named_client()
    schemas.check_client_id(named)
    wanted = load(schemas.TokenBody(), read_json())
    token = OpaqueToken(wanted["token"], _end(wanted["expires"]))
    user = changes.bind(named, token)
    return private(envelope(client_of(user) | {"client": named} | token_of(token)))


@blueprint.delete("/<anything:client_id>/token")
@blueprint.delete("/<anything:client_id>/token/")
def delete_token(client_id: str) -> Response:  # noqa: ARG001 - read from the raw path
    """End one token of a client, or all of them."""
    named = named_client()
    ended = changes.unbind(named, load(schemas.RevocationBody(), read_object())["token"])
    said = {"success": True, "message": "Tokens revoked", "revokedTokens": ended}
    return private(envelope(said))


def _wanted_token(wanted: dict[str, Any]) -> OpaqueToken | None:
    """Return the token that the body asks for; raise `CallerError` where it asks for two."""
    if wanted["issue"]:
        if wanted["token"] is not None or wanted["expires"] is not None:
            raise CallerError("issueAccessToken makes token and expirationDate: send one or other.")

        return directory().opaque_tokens.make(now() + provider(IMKit).token_ttl)

    if wanted["token"] is not None:
        return OpaqueToken(wanted["token"], _end(wanted["expires"]))

    if wanted["expires"] is not None:
        raise CallerError("expirationDate is that of a token, and there is none.")

    return None


def _end(expires: float | None) -> float:
    """Return a token's end; raise `CallerError` for one that is over."""
    if expires is None:
        return now() + provider(IMKit).token_ttl

    if expires <= now():
        raise CallerError("expirationDate is in the past.")

    return expires
