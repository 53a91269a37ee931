"""What is said of a user, as every surface and the import take it.

Messages are short and fixed: a provider may have codes of its own for them. A null or
empty optional field counts as absent: many backends send a missing avatar so.
"""

from collections.abc import Collection
from typing import Any
from urllib.parse import urlsplit

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from chatproxy.web.serving import load
from chatproxy.web.validators import storable, storable_object
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


def picture_url(text: str) -> None:
    """Refuse what is no address of a picture."""
    try:
        scheme, host = urlsplit(text).scheme, urlsplit(text).hostname
    except ValueError:
        scheme, host = "", None

    web_without_host = scheme in ("http", "https") and not host

    if scheme in NO_PICTURE or web_without_host or any(one.isspace() for one in text):
        raise ValidationError("Invalid url")


def text_field(most: int, *checks: Any, **kwargs: Any) -> fields.String:
    """Declare a text of 1 to so many characters that passes the checks, and can be stored."""
    lengths = (
        validate.Length(min=1, error="Too short"),
        validate.Length(max=most, error="Too long"),
    )
    return fields.String(validate=[*lengths, storable, *checks], error_messages=TEXT, **kwargs)


def without_empty(data: Any, kept: Collection[str]) -> Any:
    """Return an object without the fields that hold nothing, but for those to be kept."""
    if not isinstance(data, dict):
        return data

    return {
        name: value
        for name, value in data.items()
        if name in kept or (value is not None and value != "")
    }


class ProfileBody(Schema):
    """What a caller says of a user. Unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE

    error_messages = {"type": "Expected object"}  # noqa: RUF012 - marshmallow's form

    user_id = text_field(LONGEST_ID, data_key="userId", required=True)
    name = text_field(LONGEST_NAME)
    image = text_field(LONGEST_URL, picture_url)
    email = text_field(LONGEST_NAME, validate.Email(error="Invalid email"))
    custom = fields.Raw(validate=storable_object)

    @pre_load
    def leave_out_empty(self, data: Any, **_: Any) -> Any:
        """Drop optional fields that hold nothing."""
        return without_empty(data, kept=("userId",))


def read_profile(document: Any) -> tuple[str, Profile]:
    """Return the user's id and profile that a document holds; raise `InvalidBody`."""
    said = load(ProfileBody(), document)
    return said.pop("user_id"), Profile(**said)
