"""What Stream's endpoints answer, for the OpenAPI document."""

from marshmallow import INCLUDE, Schema, fields, validate


class Error(Schema):
    """A failure, with all six fields that the vendor's SDKs read."""

    code = fields.Integer(required=True, metadata={"description": "The vendor's code."})
    message = fields.String(required=True)
    StatusCode = fields.Integer(required=True)
    duration = fields.String(required=True, metadata={"pattern": r"^[0-9]+\.[0-9]{2}ms$"})
    more_info = fields.String(required=True)
    details = fields.List(fields.Integer(), required=True)


class Token(Schema):
    """A user token."""

    userId = fields.String(required=True)
    token = fields.String(required=True, metadata={"description": "A JWT, signed by HS256."})


class TokenWithEnd(Token):
    """A user token, with its end where one was asked for."""

    expiresAt = fields.String(metadata={"format": "date-time"})


class Revoked(Schema):
    """Which tokens of a user are ended."""

    userId = fields.String(required=True)
    revokedBefore = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Tokens issued before it are ended. Null: none."},
    )
    newTokensFrom = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "A token made here is good from then on: it says that it was issued "
            "seconds before it was."
        },
    )


class Guest(Token):
    """A guest of Stream's, and its token."""

    user = fields.Dict(required=True, metadata={"description": "The user, as Stream answers it."})


class Key(Schema):
    """The public key by which a client names the application."""

    api_key = fields.String(required=True)


class Verdict(Schema):
    """Whether an event is the provider's. `verdict` is there for what comes by SNS and SQS."""

    isValid = fields.Boolean(required=True)
    verdict = fields.String(validate=validate.OneOf(["valid", "invalid", "unsigned"]))


class Authentication(Schema):
    """What a client needs to connect."""

    apiKey = fields.String(required=True)
    userId = fields.String(required=True)
    userToken = fields.String(required=True)


class Configuration(Schema):
    """What the document at `STYLE_CONFIG` holds for the client type, and who is logged in.

    Without `authentication` there is an object under `ERROR_OBJ_KEY`, by default `errors`.
    """

    class Meta:
        unknown = INCLUDE

    authentication = fields.Nested(Authentication)
