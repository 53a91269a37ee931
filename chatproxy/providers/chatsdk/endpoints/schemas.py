"""What ChatSDK's endpoints read of a body. `errors` has the vendor's codes for its faults."""

from typing import Any

from marshmallow import fields

from chatproxy.errors import MalformedBody
from chatproxy.identity.records import Profile
from chatproxy.web.current import context
from chatproxy.web.parsing import is_json, load, read_json
from chatproxy.web.user_schema import LONGEST_ID, ObjectSchema, read_user
from chatproxy.web.validators import TEXT_MESSAGES, at_most

#: Bytes of a body: metadata at its bound, every character escaped, and the rest.
LARGEST_BODY = 256 * 1024


class RevocationBody(ObjectSchema):
    """Why tokens are revoked, for the log."""

    reason = fields.String(
        load_default="server_revoke",
        validate=at_most(LONGEST_ID),
        error_messages=TEXT_MESSAGES,
    )


def wanted_user() -> tuple[str, Profile]:
    """Read a user's id and profile from the body; raise `InvalidBody`, `MalformedBody`."""
    return read_user(_document())


def wanted_reason() -> str:
    """Read why tokens are revoked; a body is not needed."""
    body = context().body
    document = {} if body is None or body.ended else _document()
    reason: str = load(RevocationBody(), document)["reason"]
    return reason


def _document() -> Any:
    """Read the body; one of another content type counts as an empty object, as at the vendor's."""
    if not is_json():
        return {}

    try:
        return read_json(LARGEST_BODY)
    except MalformedBody as error:
        raise MalformedBody("Malformed JSON in request body", detail=error.detail) from error
