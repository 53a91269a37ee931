"""The bodies that IMKit's endpoints take.

A null or empty field of a profile counts as absent. A token never does: whoever sends an
empty one believes to have bound it.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, pre_load, validate

from chatproxy.formats.timestamps import iso, read_iso
from chatproxy.identity.records import Profile
from chatproxy.web.parsing import load
from chatproxy.web.user_schema import (
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_URL,
    ObjectSchema,
    text_field,
    without_empty,
)
from chatproxy.web.validators import BAD_CHARACTERS, TEXT_MESSAGES, email, picture_url

LONGEST_TEXT = 8192
#: A request header has room for twice that.
LONGEST_TOKEN = 4096
MOST_CLIENTS = 100
REQUIRED_MESSAGE = {"required": TEXT_MESSAGES["required"]}
NO_INSTANT = "An ISO 8601 date with time and zone, such as 2030-01-31T12:00:00Z."
TOKEN = validate.Regexp(
    rf"[\x21-\x7e]{{1,{LONGEST_TOKEN}}}\Z",
    error=f"A token is 1 to {LONGEST_TOKEN} printable ASCII characters without spaces.",
)


def client_id(text: str) -> None:
    """Refuse what could not be sent as `IM-CLIENT-ID` (RFC 9110 section 5.5), or in a path."""
    if not text.isprintable() or text != text.strip() or text in (".", ".."):
        raise ValidationError([BAD_CHARACTERS])


class Instant(fields.Field[float]):
    """A moment in ISO 8601 with its zone; its value is epoch seconds."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> float:  # noqa: ARG002
        try:
            seconds = read_iso(value if isinstance(value, str) else "")
        except ValueError as error:
            raise ValidationError(NO_INSTANT) from error

        if iso(seconds) is None:  # rounded to milliseconds it is beyond the last year
            raise ValidationError(NO_INSTANT)

        return seconds


class Switch(fields.Field[bool]):
    """True or false, and nothing that only looks like it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        if not isinstance(value, bool):
            raise ValidationError("True or false.")

        return value


class ProfileFields(ObjectSchema):
    """What a client may say of itself."""

    nickname = text_field(LONGEST_NAME)
    avatar_url = text_field(LONGEST_URL, picture_url, data_key="avatarUrl")
    email = text_field(LONGEST_NAME, email)
    description = text_field(LONGEST_TEXT)

    @pre_load
    def leave_out_empty(self, data: Any, **_: Any) -> Any:
        """Drop fields of the profile that hold nothing."""
        return without_empty(data, kept=("_id", "token", "expirationDate", "issueAccessToken"))

    @post_load
    def as_profile(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Put the profile together."""
        named = {"description": "description", "public_key": "publicKey"}
        custom = {name: data.pop(field) for field, name in named.items() if field in data}
        name, image = data.pop("nickname", None), data.pop("avatar_url", None)
        return data | {"profile": Profile(name, image, data.pop("email", None), custom or None)}


class ClientBody(ProfileFields):
    """A client as a platform describes it."""

    id = text_field(LONGEST_ID, client_id, data_key="_id", required=True)
    public_key = text_field(LONGEST_TEXT, data_key="publicKey")


class NewClientBody(ClientBody):
    """A client, and perhaps the token that it is to have."""

    issue = Switch(data_key="issueAccessToken", load_default=False)
    token = fields.String(validate=TOKEN, load_default=None, allow_none=False)
    expires = Instant(data_key="expirationDate", load_default=None, allow_none=False)


class TokenBody(ObjectSchema):
    """A token that a client is to have; without its end it has that of one made here."""

    token = fields.String(validate=TOKEN, required=True, error_messages=REQUIRED_MESSAGE)
    expires = Instant(data_key="expirationDate", load_default=None, allow_none=False)


class RevocationBody(ObjectSchema):
    """The token that is to end; absent: all."""

    token = fields.String(validate=TOKEN, load_default=None, allow_none=False)


class ClientsBody(ObjectSchema):
    """Clients without tokens."""

    data = fields.List(
        fields.Nested(ClientBody),
        required=True,
        validate=validate.Length(1, MOST_CLIENTS),
        error_messages=REQUIRED_MESSAGE,
    )


class VerificationBody(ObjectSchema):
    """The token that is asked about."""

    token = fields.String(required=True, error_messages=REQUIRED_MESSAGE)


def check_client_id(text: str) -> None:
    """Refuse an id that no client can have; raise `InvalidBody`."""
    load(ClientBody(), {"_id": text})


def load_clients(document: Any) -> Mapping[str, Profile]:
    """Read a list of clients; raise `InvalidBody`. Of one that is there twice the last counts."""
    return {one["id"]: one["profile"] for one in load(ClientsBody(), document)["data"]}
