"""What is said of a user, as every surface and the import take it.

A null or empty optional field counts as absent: many backends send a missing avatar so.
"""

from collections.abc import Collection
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, pre_load

from chatproxy.identity.records import Profile
from chatproxy.web.parsing import load
from chatproxy.web.validators import (
    OBJECT_MESSAGES,
    TEXT_MESSAGES,
    at_most,
    email,
    not_empty,
    picture_url,
    storable,
    storable_object,
)

LONGEST_ID = 255
LONGEST_NAME = 1024
LONGEST_URL = 8192


class ObjectSchema(Schema):
    """A JSON object. Unknown fields are ignored."""

    class Meta:
        unknown = EXCLUDE

    error_messages = OBJECT_MESSAGES


def text_field(most: int, *checks: Any, **kwargs: Any) -> fields.String:
    """Declare a text of 1 to so many characters that passes the checks, and can be stored."""
    every = [not_empty, at_most(most), storable, *checks]
    return fields.String(validate=every, error_messages=TEXT_MESSAGES, **kwargs)


def without_empty(data: Any, kept: Collection[str]) -> Any:
    """Return an object without the fields that hold nothing, but for those to be kept."""
    if not isinstance(data, dict):
        return data

    return {
        name: value
        for name, value in data.items()
        if name in kept or (value is not None and value != "")
    }


class UserSchema(ObjectSchema):
    """What a caller says of a user."""

    user_id = text_field(LONGEST_ID, data_key="userId", required=True)
    name = text_field(LONGEST_NAME)
    image = text_field(LONGEST_URL, picture_url)
    email = text_field(LONGEST_NAME, email)
    custom = fields.Raw(validate=storable_object)

    @pre_load
    def leave_out_empty(self, data: Any, **_: Any) -> Any:
        """Drop optional fields that hold nothing."""
        return without_empty(data, kept=("userId",))


def read_user(document: Any) -> tuple[str, Profile]:
    """Return the user's id and profile that a document holds; raise `InvalidBody`."""
    said = load(UserSchema(), document)
    return said.pop("user_id"), Profile(**said)
