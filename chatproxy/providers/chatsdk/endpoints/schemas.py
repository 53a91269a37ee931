"""The bodies of ChatSDK's endpoints. `errors` has the vendor's codes for what is wrong in one."""

from typing import Any

from marshmallow import fields

from chatproxy.errors import Unauthenticated
from chatproxy.identity.records import Profile
from chatproxy.providers.chatsdk.errors import NO_REFRESH_TOKEN
from chatproxy.web.current import context
from chatproxy.web.parsing import is_json, load, read_json
from chatproxy.web.user_schema import (
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_URL,
    LenientSchema,
    ObjectSchema,
    read_user,
    text_field,
)
from chatproxy.web.validators import (
    TEXT_MESSAGES,
    at_most,
    email,
    picture_url,
    storable_object,
)

#: Bytes of a body: metadata of the largest size with every character escaped, and the rest.
LARGEST_BODY = 256 * 1024


class RevocationBody(ObjectSchema):
    """Why tokens are revoked. It is only logged."""

    reason = fields.String(
        load_default="server_revoke",
        validate=at_most(LONGEST_ID),
        error_messages=TEXT_MESSAGES,
    )


class ConnectionBody(LenientSchema):
    """A user who connects, as `ChatSDK.connect` describes one."""

    kept = ("userId",)

    user_id = text_field(LONGEST_ID, data_key="userId", required=True)
    name = text_field(LONGEST_NAME, data_key="displayName")
    image = text_field(LONGEST_URL, picture_url, data_key="avatar")
    email = text_field(LONGEST_NAME, email)
    custom = fields.Raw(data_key="metadata", validate=storable_object, metadata={"type": "object"})


class RenewalBody(LenientSchema):
    """What new tokens are asked for with, where that is not in `Authorization`."""

    refresh_token = fields.String(data_key="refreshToken", error_messages=TEXT_MESSAGES)


def requested_connection() -> tuple[str, Profile]:
    """Read who is to be connected; raise `InvalidBody`, `MalformedBody`."""
    loaded = load(ConnectionBody, _read_body())
    return loaded.pop("user_id"), Profile(**loaded)


def refresh_token() -> str:
    """Read the token in the body; raise `Unauthenticated` where there is none."""
    body = context().body
    document = {} if body is None or body.ended else _read_body()
    token: str | None = load(RenewalBody, document).get("refresh_token")

    if token is None:
        raise Unauthenticated(NO_REFRESH_TOKEN)

    return token


def requested_user() -> tuple[str, Profile]:
    """Read the user's id and profile from the body; raise `InvalidBody`, `MalformedBody`."""
    return read_user(_read_body())


def revocation_reason() -> str:
    """Read why tokens are revoked. The body may be absent."""
    body = context().body
    document = {} if body is None or body.ended else _read_body()
    reason: str = load(RevocationBody, document)["reason"]
    return reason


def _read_body() -> Any:
    # The vendor's server does not parse other content types, and then reports a missing id.
    if not is_json():
        return {}

    return read_json(LARGEST_BODY, refusal="Malformed JSON in request body")
