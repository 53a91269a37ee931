"""The schema of a user, as every surface and the import accept it.

A null or empty optional field counts as absent: many backends send a missing avatar that way.
"""

from collections.abc import Collection
from typing import Any, ClassVar

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate

from chatproxy.identity.records import Profile
from chatproxy.web.parsing import load
from chatproxy.web.validators import (
    OBJECT_MESSAGES,
    TEXT_MESSAGES,
    at_most,
    email,
    in_order,
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
    """Declare a text of 1 to `most` characters that can be stored and passes the checks."""
    every = in_order(not_empty, at_most(most), storable, *checks)
    return fields.String(validate=every, error_messages=TEXT_MESSAGES, **kwargs)


class BoundedList(fields.List[Any]):
    """A list that is counted before its items are looked at. The first bad item is the only fault.

    A list of 50,000 bad items would otherwise keep the worker for as many error messages.
    """

    def __init__(
        self, item: fields.Field[Any], most: int, least: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(item, **kwargs)
        self.check_length = validate.Length(least, most)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list):
            raise self.make_error("invalid")

        self.check_length(value)
        loaded = []

        for place, one in enumerate(value):
            try:
                loaded.append(self.inner.deserialize(one, **kwargs))
            except ValidationError as error:
                raise ValidationError({place: error.messages}) from error

        return loaded


def without_empty(data: Any, kept: Collection[str]) -> Any:
    """Return an object without its null and empty fields, except those in `kept`."""
    if not isinstance(data, dict):
        return data

    return {
        name: value
        for name, value in data.items()
        if name in kept or (value is not None and value != "")
    }


class LenientSchema(ObjectSchema):
    """An object in which a null or empty field counts as absent, except those in `kept`."""

    kept: ClassVar[Collection[str]] = ()

    @pre_load
    def leave_out_empty(self, data: Any, **_: Any) -> Any:
        """Drop fields that are null or empty."""
        return without_empty(data, self.kept)


class UserSchema(LenientSchema):
    """A user, as a caller describes one."""

    kept = ("userId",)

    user_id = text_field(LONGEST_ID, data_key="userId", required=True)
    name = text_field(LONGEST_NAME)
    image = text_field(LONGEST_URL, picture_url)
    email = text_field(LONGEST_NAME, email)
    custom = fields.Raw(validate=storable_object, metadata={"type": "object"})


def read_user(document: Any) -> tuple[str, Profile]:
    """Return the user's id and profile from a document; raise `InvalidBody`."""
    loaded = load(UserSchema, document)
    return loaded.pop("user_id"), Profile(**loaded)
