"""What is said of a user, as every surface and the import take it.

Messages are short and fixed: a provider may have codes of its own for them. A null or
empty optional field counts as absent: many backends send a missing avatar so.
"""

from typing import Any
from urllib.parse import urlsplit

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from chatproxy.endpoints.serving import load
from chatproxy.endpoints.texts import storable, storable_object
from chatproxy.identity.user import Profile

LONGEST_ID = 255
LONGEST_NAME = 1024
LONGEST_URL = 8192

#: Schemes of no picture: none, and those by which a page would run what stands behind them.
NO_PICTURE = ("", "javascript", "vbscript")

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

    if scheme in NO_PICTURE or web_without_host or any(one.isspace() for one in text):
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


def read_profile(document: Any) -> tuple[str, Profile]:
    """Return the user's id and profile that a document holds; raise `InvalidBody`."""
    said = load(ProfileBody(), document)
    return said.pop("user_id"), Profile(**said)
