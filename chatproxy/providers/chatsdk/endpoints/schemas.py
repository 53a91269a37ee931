"""The bodies of ChatSDK's endpoints. `errors` has the vendor's codes for what is wrong in one."""

from typing import Any

from marshmallow import fields

from chatproxy.identity.records import Profile
from chatproxy.web.current import context
from chatproxy.web.parsing import is_json, load, read_json
from chatproxy.web.user_schema import LONGEST_ID, ObjectSchema, read_user
from chatproxy.web.validators import TEXT_MESSAGES, at_most

#: Bytes of a body: metadata of the largest size with every character escaped, and the rest.
LARGEST_BODY = 256 * 1024


class RevocationBody(ObjectSchema):
    """Why tokens are revoked. It is only logged."""

    reason = fields.String(
        load_default="server_revoke",
        validate=at_most(LONGEST_ID),
        error_messages=TEXT_MESSAGES,
    )


def requested_user() -> tuple[str, Profile]:
    """Read the user's id and profile from the body; raise `InvalidBody`, `MalformedBody`."""
    return read_user(_read_body())


def revocation_reason() -> str:
    """Read why tokens are revoked. The body may be absent."""
    body = context().body
    document = {} if body is None or body.ended else _read_body()
    reason: str = load(RevocationBody(), document)["reason"]
    return reason


def _read_body() -> Any:
    # The vendor's server does not parse other content types, and then reports a missing id.
    if not is_json():
        return {}

    return read_json(LARGEST_BODY, refusal="Malformed JSON in request body")
