"""`GET /token/<userId>`: issue a user token."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import fields, validate

from chatproxy.errors import CallerError
from chatproxy.formats.timestamps import iso
from chatproxy.providers.stream.provider import Stream
from chatproxy.providers.stream.tokens import BAD_USER_ID, is_user_id
from chatproxy.web import access
from chatproxy.web.answers import private
from chatproxy.web.current import now, provider, services
from chatproxy.web.parsing import load_query
from chatproxy.web.user_schema import ObjectSchema

blueprint = Blueprint("stream-token", __name__)


class UpsertQuery(ObjectSchema):
    """Whether a user is made first whom Stream does not have."""

    upsert = fields.String(
        load_default="false",
        validate=validate.OneOf(["true", "false"], error="Must be true or false."),
        metadata={"description": "`true` makes the user at Stream first, where it has none."},
    )


class TokenQuery(UpsertQuery):
    """The query of `GET /token/<userId>`."""

    expires_in = fields.String(
        data_key="expiresIn",
        load_default=None,
        metadata={
            "pattern": "^[1-9][0-9]*$",
            "description": "Its life in seconds, at most `EXPIRATION_TOKEN_DURATION` where set.",
        },
    )


@blueprint.get("/<anything:user_id>")
def token(user_id: str) -> Response:
    """Answer 201 with `userId` and `token`, and `expiresAt` where an end was asked for.

    The user need not exist. The route matches slashes too, so that an id with an encoded slash is
    a bad id (400) and not another path.
    """
    stream = provider(Stream)

    if not is_user_id(user_id):
        raise CallerError(BAD_USER_ID)

    access.acts_for(user_id)
    query = load_query(TokenQuery, once=True)
    life = None if query["expires_in"] is None else stream.tokens.life(query["expires_in"])

    if query["upsert"] == "true":
        stream.people.ensure(services().reach(), user_id, {})

    return private({"userId": user_id, **_issued(stream, user_id, life)}, 201)


def _issued(stream: Stream, user_id: str, life: int | None) -> dict[str, Any]:
    if life is None:
        return {"token": stream.tokens.make(user_id, now())}

    # Of one moment, so that the end is the token's own.
    moment = int(now())
    return {
        "token": stream.tokens.make(user_id, moment, life),
        "expiresAt": iso(moment + life),
    }
