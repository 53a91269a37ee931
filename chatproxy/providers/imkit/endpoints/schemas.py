"""The bodies of IMKit's endpoints.

A null or empty field of a profile counts as absent. An empty token is an error, because its
sender would believe that the token is bound.
"""

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate

from chatproxy.formats.timestamps import iso, read_iso
from chatproxy.identity.records import Profile
from chatproxy.providers.imkit.clientids import is_client_id
from chatproxy.web.parsing import load
from chatproxy.web.user_schema import (
    LONGEST_ID,
    LONGEST_NAME,
    LONGEST_URL,
    BoundedList,
    LenientSchema,
    ObjectSchema,
    text_field,
)
from chatproxy.web.validators import BAD_CHARACTERS, TEXT_MESSAGES, email, picture_url

LONGEST_TEXT = 8192
#: Half of what a request header may have.
LONGEST_TOKEN = 4096
#: The vendor asks to keep lists below this.
MOST_CLIENTS = 100
REQUIRED_MESSAGE = {"required": TEXT_MESSAGES["required"]}
NO_INSTANT = "An ISO 8601 date with time and zone, such as 2030-01-31T12:00:00Z."
TOKEN = validate.Regexp(
    rf"[\x21-\x7e]{{1,{LONGEST_TOKEN}}}\Z",
    error=f"A token is 1 to {LONGEST_TOKEN} printable ASCII characters without spaces.",
)


def client_id(text: str) -> None:
    """Refuse an id that no client can have. Its length is looked at before."""
    if not is_client_id(text):
        raise ValidationError([BAD_CHARACTERS])


class Instant(fields.Field[float]):
    """A time in ISO 8601 with a zone, loaded as epoch seconds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"type": "string", "format": "date-time"}, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> float:  # noqa: ARG002
        try:
            seconds = read_iso(value if isinstance(value, str) else "")
        except ValueError as error:
            raise ValidationError(NO_INSTANT) from error

        if iso(seconds) is None:  # rounded to milliseconds it is after year 9999
            raise ValidationError(NO_INSTANT)

        return seconds


class Switch(fields.Field[bool]):
    """True or false, but not the texts and numbers that marshmallow accepts for them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(metadata={"type": "boolean"}, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:  # noqa: ARG002
        if not isinstance(value, bool):
            raise ValidationError("True or false.")

        return value


class ProfileFields(LenientSchema):
    """What a client may say about itself."""

    kept = ("_id", "token", "expirationDate", "issueAccessToken")

    nickname = text_field(LONGEST_NAME)
    avatar_url = text_field(LONGEST_URL, picture_url, data_key="avatarUrl")
    email = text_field(LONGEST_NAME, email)
    description = text_field(LONGEST_TEXT)

    @post_load
    def _as_profile(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        named = {"description": "description", "public_key": "publicKey"}
        custom = {name: data.pop(field) for field, name in named.items() if field in data}
        name, image = data.pop("nickname", None), data.pop("avatar_url", None)
        return data | {"profile": Profile(name, image, data.pop("email", None), custom or None)}


class ClientBody(ProfileFields):
    """A client, as a platform describes it."""

    id = text_field(LONGEST_ID, client_id, data_key="_id", required=True)
    public_key = text_field(LONGEST_TEXT, data_key="publicKey")


class NewClientBody(ClientBody):
    """A client, and perhaps a token for it."""

    issue = Switch(data_key="issueAccessToken", load_default=False)
    token = fields.String(validate=TOKEN, load_default=None, allow_none=False)
    expires = Instant(data_key="expirationDate", load_default=None, allow_none=False)


class TokenBody(ObjectSchema):
    """A token for a client. Without an expiry it lives as long as one made here."""

    token = fields.String(validate=TOKEN, required=True, error_messages=REQUIRED_MESSAGE)
    expires = Instant(data_key="expirationDate", load_default=None, allow_none=False)


class RevocationBody(ObjectSchema):
    """The token to be revoked; absent: all of them."""

    token = fields.String(validate=TOKEN, load_default=None, allow_none=False)


class ClientsBody(ObjectSchema):
    """A list of clients, without tokens."""

    data = BoundedList(
        fields.Nested(ClientBody),
        MOST_CLIENTS,
        least=1,
        required=True,
        error_messages=REQUIRED_MESSAGE,
    )


class VerificationBody(ObjectSchema):
    """The token to be verified."""

    token = fields.String(required=True, error_messages=REQUIRED_MESSAGE)


def check_client_id(text: str) -> None:
    """Raise `InvalidBody` for an id that no client can have."""
    load(ClientBody, {"_id": text})


def load_clients(document: Any) -> Mapping[str, Profile]:
    """Read a list of clients; raise `InvalidBody`. If an id is repeated, the last one counts."""
    return {one["id"]: one["profile"] for one in load(ClientsBody, document)["data"]}
