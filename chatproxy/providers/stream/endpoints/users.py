"""`POST /users/<userId>/revoke-tokens` and `POST /guest`: what is done with a user at Stream."""

import logging
from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError, fields

from chatproxy.errors import CallerError
from chatproxy.formats.timestamps import read_iso
from chatproxy.providers.stream.endpoints.token import UpsertQuery
from chatproxy.providers.stream.people import check_fields, moment_after
from chatproxy.providers.stream.provider import Stream
from chatproxy.providers.stream.tokens import BAD_USER_ID, is_user_id
from chatproxy.web import access
from chatproxy.web.answers import private
from chatproxy.web.current import now, provider, services
from chatproxy.web.parsing import load, load_query, read_json, read_object
from chatproxy.web.user_schema import ObjectSchema

log = logging.getLogger(__name__)

revocation = Blueprint("stream-revocation", __name__)
guests = Blueprint("stream-guests", __name__)


class Moment(fields.Field[float]):
    """A time with a zone, read into epoch seconds. It is not in the future."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> float:
        try:
            moment = read_iso(value)
        except (TypeError, ValueError) as error:
            raise ValidationError("Must be a date and time with a zone, or null.") from error

        # Tokens that are not made yet would be ended too, until then.
        if moment > moment_after(now()):
            raise ValidationError("Must not be in the future.")

        return moment


class RevocationBody(ObjectSchema):
    """The body of a revocation, which may be absent."""

    before = Moment(
        allow_none=True,
        metadata={
            "type": "string",
            "format": "date-time",
            "description": "Tokens issued before it are ended. Absent: all until now. Null: none, "
            "so that what was ended is good again.",
        },
    )


class GuestBody(ObjectSchema):
    """The body of `POST /guest`, as the vendor's SDKs send it."""

    user = fields.Raw(
        required=True,
        metadata={
            "type": "object",
            "properties": {"id": {"type": "string"}, "name": {"type": "string"}},
            "required": ["id"],
            "description": "`id`, perhaps `name` and `image`, and fields of your own. Stream puts "
            "something of its own before the id.",
        },
    )


@revocation.post("")
def revoke(user_id: str) -> Response:
    """End the tokens that a user has now, at Stream."""
    if not is_user_id(user_id):
        raise CallerError(BAD_USER_ID)

    access.acts_for(user_id)
    query = load_query(UpsertQuery, once=True)
    body = load(RevocationBody, read_object())
    people, reach = provider(Stream).people, services().reach()

    # Without the user there is nothing at Stream that could hold the moment.
    if query["upsert"] == "true":
        people.ensure(reach, user_id, {})

    before = body["before"] if "before" in body else moment_after(reach.now)
    facts = people.end_tokens(reach, user_id, before).facts

    log.info("tokens revoked at the provider", extra={"before": facts["revokedBefore"]})
    return private({"userId": user_id, **facts})


@guests.post("")
def make_guest() -> Response:
    """Make a guest at Stream; answer its id, its token, and the user as Stream has it."""
    user = load(GuestBody, read_json())["user"]
    named = user.get("id") if isinstance(user, dict) else None

    if not isinstance(named, str) or not is_user_id(named):
        raise CallerError(f"user.id: {BAD_USER_ID}")

    check_fields(user)
    access.acts_for(named)
    made, token = provider(Stream).people.make_guest(services().reach(), user)
    return private({"userId": made["id"], "token": token, "user": made}, 201)
