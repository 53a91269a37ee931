"""The bodies that ChatSDK's endpoints take.

Messages are those of the vendor's validator, whose codes `errors` knows. A null or
empty optional field counts as absent: the guide's own samples send a missing avatar so.
"""

from typing import Any
from urllib.parse import urlsplit

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from chatproxy.endpoints.jsonbody import is_json
from chatproxy.endpoints.serving import context, load, read_json
from chatproxy.endpoints.texts import storable, storable_object
from chatproxy.errors import MalformedBody
from chatproxy.identity.users import Profile

LONGEST_ID = 255
LONGEST_NAME = 1024
LONGEST_URL = 8192

#: Bytes of a body: metadata at its bound, every character escaped, and the rest.
LARGEST_BODY = 256 * 1024

TEXT: dict[str, Any] = {
    "required": "Required",
    "invalid": "Expected string",
    "null": "Expected string",
}


def _url(text: str) -> None:
    try:
        scheme, host = urlsplit(text).scheme, urlsplit(text).hostname
    except ValueError:
        scheme, host = "", None

    web_without_host = scheme in ("http", "https") and not host

    if not scheme or web_without_host or any(one.isspace() for one in text):
        raise ValidationError("Invalid url")


def _text(most: int, *checks: Any, **kwargs: Any) -> fields.String:
    lengths = (
        validate.Length(min=1, error="Too short"),
        validate.Length(max=most, error="Too long"),
    )
    return fields.String(validate=[*lengths, storable, *checks], error_messages=TEXT, **kwargs)


class ProfileBody(Schema):
    """What a caller says of a user. Unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "Expected object"}  # noqa: RUF012 - marshmallow's form

    user_id = _text(LONGEST_ID, data_key="userId", required=True)
    name = _text(LONGEST_NAME)
    image = _text(LONGEST_URL, _url)
    email = _text(LONGEST_NAME, validate.Email(error="Invalid email"))
    custom = fields.Raw(validate=storable_object)

    @pre_load
    def leave_out_empty(self, data: Any, **_: Any) -> Any:
        """Drop optional fields that hold nothing."""
        if not isinstance(data, dict):
            return data

        return {
            name: value
            for name, value in data.items()
            if name == "userId" or (value is not None and value != "")
        }


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
    said = load(ProfileBody(), _document())
    return said.pop("user_id"), Profile(**said)


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
