"""What PerformChat's endpoints answer, for the OpenAPI document."""

from marshmallow import INCLUDE, Schema, fields

INSTANT = {"format": "date-time"}


class Error(Schema):
    """A failure."""

    statusCode = fields.Integer(required=True)
    message = fields.String(required=True)
    error = fields.String(required=True, metadata={"description": "The status in words."})


class TokenUser(Schema):
    """Whom a token is for."""

    id = fields.String(required=True, metadata={"description": "The internal id."})
    externalId = fields.String(required=True)
    companyId = fields.String(required=True)
    agentId = fields.String(required=True)


class TokenAgent(Schema):
    """The agent that a token is for."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    active = fields.Boolean(required=True)


class TokenKey(Schema):
    """The key with which a token was asked for."""

    id = fields.String(required=True)
    name = fields.String(required=True)
    environment = fields.String(required=True)


class Token(Schema):
    """A user's token."""

    token = fields.String(required=True, metadata={"description": "A JWT, signed by HS256."})
    user = fields.Nested(TokenUser, required=True)
    customerUser = fields.Nested(TokenUser, required=True)
    agent = fields.Nested(TokenAgent, required=True)
    apiKey = fields.Nested(TokenKey, required=True)


class Invalidation(Schema):
    """What was invalidated."""

    message = fields.String(required=True)
    customerUserId = fields.String(required=True)
    newTokenVersion = fields.Integer(required=True)


class Claims(Schema):
    """What a valid token says."""

    class Meta:
        unknown = INCLUDE

    sub = fields.String(required=True)
    externalId = fields.String(required=True)
    companyId = fields.String(required=True)
    agentId = fields.String(required=True)
    tokenVersion = fields.Integer(required=True)
    iat = fields.Integer(required=True)
    exp = fields.Integer(required=True)
    jti = fields.String(required=True)


class Agent(TokenAgent):
    """An agent."""

    created_at = fields.String(required=True, metadata=INSTANT)
    updated_at = fields.String(required=True, metadata=INSTANT)


class SingleAgent(Agent):
    """An agent, with the prompt that is not kept here."""

    prompt_template = fields.String(required=True, allow_none=True)


class User(Schema):
    """A user of the company."""

    id = fields.String(required=True, metadata={"description": "The internal id."})
    external_id = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)
    metadata = fields.Dict(required=True)
    active = fields.Boolean(required=True)
    created_at = fields.String(required=True, metadata=INSTANT)
    last_seen_at = fields.String(required=True, allow_none=True, metadata=INSTANT)


class ChangedUser(User):
    """A user as it is after a change."""

    updated_at = fields.String(required=True, metadata=INSTANT)


class Pagination(Schema):
    """Which page this is."""

    page = fields.Integer(required=True)
    limit = fields.Integer(required=True)
    total = fields.Integer(required=True)
    total_pages = fields.Integer(required=True)


class Agents(Schema):
    """A page of agents."""

    data = fields.List(fields.Nested(Agent), required=True)
    pagination = fields.Nested(Pagination, required=True)


class Users(Schema):
    """A page of users."""

    data = fields.List(fields.Nested(User), required=True)
    pagination = fields.Nested(Pagination, required=True)
