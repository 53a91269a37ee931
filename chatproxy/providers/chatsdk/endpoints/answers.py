"""What ChatSDK's endpoints answer, for the OpenAPI document."""

from marshmallow import Schema, fields, validate

TOKEN = {"description": "For REST calls. A JWT, signed by HS256."}
WS_TOKEN = {"description": "For the WebSocket. Neither token passes for the other."}
LIFE = {"description": "Seconds until both end."}


class Message(Schema):
    """What went wrong."""

    message = fields.String(required=True)


class TokenError(Schema):
    """A failure of a route that issues tokens."""

    error = fields.Nested(Message, required=True)


class RejectedMessage(Message):
    """Why a token is not valid, and what to do."""

    hint = fields.String(required=True)


class RejectedToken(Schema):
    """The token is not valid."""

    valid = fields.Boolean(required=True, validate=validate.Equal(False))
    error = fields.Nested(RejectedMessage, required=True)


class ValidationError(TokenError):
    """A failure of a route that validates tokens, beside a token that is not valid."""


class CodedMessage(Message):
    """What went wrong, with the vendor's code."""

    code = fields.String(required=True)


class ApiError(Schema):
    """A failure of any other route."""

    error = fields.Nested(CodedMessage, required=True)


class SuggestingMessage(CodedMessage):
    """Why a credential is refused, and what to do."""

    suggestion = fields.String(required=True)


class ConnectingError(ApiError):
    """A failure of the route that connects a user, beside a key that is refused."""


class RenewalError(ApiError):
    """A failure of the route that takes a refresh token, beside a token that is refused."""


class RefusedCredential(Schema):
    """A credential that a route below `/api/auth` refuses."""

    error = fields.Nested(SuggestingMessage, required=True)


class LimitedMessage(CodedMessage):
    """A limit is used up."""

    retryAfter = fields.Integer(required=True, metadata={"description": "In seconds."})


class TooMany(Schema):
    """A limit is used up."""

    error = fields.Nested(LimitedMessage, required=True)


class Issue(Schema):
    """One fault in a body."""

    code = fields.String(required=True, metadata={"description": "The validator's code."})
    path = fields.List(fields.Raw(metadata={"type": ["string", "integer"]}), required=True)
    message = fields.String(required=True)


class Issues(Schema):
    """Every fault in a body."""

    issues = fields.List(fields.Nested(Issue), required=True)
    name = fields.String(required=True)


class BodyError(Schema):
    """The body does not fit, in the shape of the validator that the vendor uses."""

    success = fields.Boolean(required=True, validate=validate.Equal(False))
    error = fields.Nested(Issues, required=True)


class Echo(Schema):
    """The user as the request describes it, not as it is stored."""

    id = fields.String(required=True)
    name = fields.String()
    image = fields.String()


class Tokens(Schema):
    """New tokens."""

    token = fields.String(required=True, metadata=TOKEN)
    wsToken = fields.String(required=True, metadata=WS_TOKEN)
    expiresIn = fields.Integer(required=True, metadata=LIFE)


class IssuedTokens(Tokens):
    """New tokens and whom they are for."""

    user = fields.Nested(Echo, required=True)


class Internal(Schema):
    """What the vendor's client takes for its own use."""

    wsToken = fields.String(required=True, metadata=WS_TOKEN)


class Renewed(Schema):
    """New tokens, and what the next ones are asked for with."""

    token = fields.String(required=True, metadata=TOKEN)
    refreshToken = fields.String(
        required=True, metadata={"description": "For `/api/auth/refresh`. Good once."}
    )
    expiresIn = fields.Integer(required=True, metadata=LIFE)
    _internal = fields.Nested(Internal, required=True)


class ConnectedUser(Schema):
    """The user as the request describes it, not as it is stored."""

    id = fields.String(required=True)
    displayName = fields.String(required=True)
    avatar = fields.String(required=True, allow_none=True)
    metadata = fields.Dict(required=True)


class Connected(Renewed):
    """New tokens and whom they are for."""

    user = fields.Nested(ConnectedUser, required=True)


class Payload(Schema):
    """What the token says."""

    userId = fields.String(required=True)
    appId = fields.String(required=True)
    issuedAt = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})
    expiresAt = fields.String(required=True, allow_none=True, metadata={"format": "date-time"})


class StoredUser(Schema):
    """The user as it is stored."""

    id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    image = fields.String(required=True, allow_none=True)


class ValidSocketToken(Schema):
    """The token is valid."""

    valid = fields.Boolean(required=True, validate=validate.Equal(True))
    payload = fields.Nested(Payload, required=True)


class ValidToken(ValidSocketToken):
    """The token is valid, and this is its user."""

    user = fields.Nested(StoredUser, required=True, allow_none=True)


class User(Echo):
    """All that is known of a user."""

    email = fields.String()
    custom = fields.Dict()


class Ensured(Schema):
    """What was done to a user."""

    action = fields.String(
        required=True, validate=validate.OneOf(["created", "updated", "existing"])
    )
    created = fields.Boolean(required=True)
    updated = fields.Boolean(required=True)
    user = fields.Nested(User, required=True)


class Found(Schema):
    """A user."""

    user = fields.Nested(User, required=True)


class Revoked(Schema):
    """Whose tokens were revoked."""

    success = fields.Boolean(required=True, validate=validate.Equal(True))
    revokedUserId = fields.String(required=True)


class Deleted(Schema):
    """Who was deleted."""

    success = fields.Boolean(required=True, validate=validate.Equal(True))
    anonymizedUserId = fields.String(required=True)
