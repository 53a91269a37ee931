"""The bodies that ChatSDK's endpoints take. `errors` has the vendor's codes for their faults."""

from typing import Any

from marshmallow import EXCLUDE, Schema, fields, validate

from chatproxy.web.jsonbody import is_json
from chatproxy.web.user_schema import TEXT, read_profile
from chatproxy.web.serving import context, load, read_json
from chatproxy.errors import MalformedBody
from chatproxy.identity.user import Profile

#: Bytes of a body: metadata at its bound, every character escaped, and the rest.
LARGEST_BODY = 256 * 1024


class RevocationBody(Schema):
    """Why tokens are revoked, for the log."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "Expected object"}  # noqa: RUF012 - marshmallow's form

    reason = fields.String(
        load_default="server_revoke",
        validate=validate.Length(max=255, error="Too long"),
        error_messages=TEXT,
    )


def load_profile() -> tuple[str, Profile]:
    """Read a user's id and profile from the body; raise `InvalidBody`, `MalformedBody`."""
    return read_profile(_document())


def load_reason() -> str:
    """Read why tokens are revoked; a body is not needed."""
    body = context().body
    said = {} if body is None or body.ended else _document()
    reason: str = load(RevocationBody(), said)["reason"]
    return reason


def _document() -> Any:
    """Read the body; one of another content type counts as an empty object, as at the vendor's."""
    if not is_json():
        return {}

    try:
        return read_json(LARGEST_BODY)
    except MalformedBody as error:
        raise MalformedBody("Malformed JSON in request body", detail=error.detail) from error
