"""What PerformChat's endpoints read from a body, beside the key that `access` reads."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, cast

from marshmallow import fields, validate

from chatproxy.errors import CallerError
from chatproxy.formats import durations
from chatproxy.identity.records import Condition, Field, Profile
from chatproxy.providers.performchat.provider import PerformChat
from chatproxy.web.current import provider
from chatproxy.web.parsing import load
from chatproxy.web.user_schema import LONGEST_ID, LONGEST_NAME, ObjectSchema
from chatproxy.web.validators import in_order, storable, storable_object

#: The vendor's default for `expiresIn`.
DEFAULT_LIFETIME = "24h"


def _text(least: int, most: int, *checks: Callable[[str], Any]) -> Callable[[str], None]:
    return in_order(validate.Length(least or None, most), storable, *checks)


class TokenBody(ObjectSchema):
    """The body of `POST /auth/token`."""

    user_id = fields.String(data_key="userId", required=True, validate=_text(1, LONGEST_ID))
    # The vendor's parameter table calls it required, its samples in three languages omit it.
    agent_id = fields.String(
        data_key="agentId",
        load_default=None,
        allow_none=True,
        validate=_text(1, 64),
    )
    expires_in = fields.String(data_key="expiresIn", load_default=DEFAULT_LIFETIME)


class InvalidationBody(ObjectSchema):
    """The body of `POST /auth/invalidate-token`."""

    customer_user_id = fields.String(
        data_key="customerUserId", required=True, validate=_text(0, LONGEST_ID)
    )


class FilterBody(ObjectSchema):
    """The values that listed users must have."""

    external_id = fields.String(load_default=None, allow_none=True, validate=_text(0, LONGEST_ID))
    name = fields.String(load_default=None, allow_none=True, validate=_text(0, LONGEST_NAME))
    email = fields.String(load_default=None, allow_none=True, validate=_text(0, LONGEST_NAME))


class ChangeBody(ObjectSchema):
    """The changed fields of a user. A field that is absent or null is left as it is."""

    name = fields.String(allow_none=True, validate=_text(1, LONGEST_NAME))
    email = fields.String(allow_none=True, validate=_text(0, LONGEST_NAME, validate.Email()))
    metadata = fields.Raw(allow_none=True, validate=storable_object)


@dataclasses.dataclass(frozen=True)
class RequestedToken:
    """The token that a request asks for; `ttl` is in seconds."""

    user_id: str
    agent_id: str | None
    ttl: int


def requested_token(document: dict[str, Any]) -> RequestedToken:
    """Read which token is asked for; raise `CallerError`."""
    body = load(TokenBody, document)
    return RequestedToken(body["user_id"], body["agent_id"], _lifetime(body["expires_in"]))


def requested_invalidation(document: dict[str, Any]) -> str:
    """Read whose tokens are to be invalidated; raise `InvalidBody`."""
    user_id: str = load(InvalidationBody, document)["customer_user_id"]
    return user_id


def requested_users(document: dict[str, Any]) -> Sequence[Condition]:
    """Read which users are asked for; raise `InvalidBody`."""
    return [
        Condition(cast(Field, field), "in", (value,))
        for field, value in load(FilterBody, document).items()
        if value is not None
    ]


def requested_change(document: dict[str, Any]) -> Profile:
    """Read the change of a user; raise `InvalidBody`."""
    body = load(ChangeBody, document)
    return Profile(body.get("name"), None, body.get("email"), body.get("metadata"))


def _lifetime(text: str) -> int:
    most = provider(PerformChat).max_ttl

    try:
        seconds = durations.seconds_of(text)
    except ValueError as error:
        raise CallerError("expiresIn must be digits and one of s, m, h, d, such as 24h") from error

    # Refused, not shortened: a caller renews a token by the lifetime that it asked for.
    if not 0 < seconds <= most:
        raise CallerError(f"expiresIn must be from 1s to {durations.written(most)}")

    return seconds
