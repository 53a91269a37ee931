"""What IMKit's endpoints answer, for the OpenAPI document."""

from marshmallow import Schema, fields, validate

INSTANT = {"format": "date-time"}
MILLISECONDS = {"description": "In epoch milliseconds."}


class CodedMessage(Schema):
    """What went wrong, with the vendor's code."""

    code = fields.String(required=True)
    message = fields.String(required=True)


class Error(Schema):
    """A failure. `RC` repeats the status."""

    RC = fields.Integer(required=True)
    RM = fields.String(required=True)
    error = fields.Nested(CodedMessage, required=True)


class Success(Schema):
    """A success. The vendor's clients ignore one without `RC` 0."""

    RC = fields.Integer(required=True, validate=validate.Equal(0))
    RM = fields.String(required=True)


class ClientFields(Schema):
    """A client. What is not known is absent."""

    _id = fields.String(required=True)
    id = fields.String(required=True)
    nickname = fields.String()
    avatarUrl = fields.String()
    email = fields.String()
    description = fields.String()
    publicKey = fields.String()
    appID = fields.String(required=True)
    createdAt = fields.String(required=True, metadata=INSTANT)
    updatedAt = fields.String(required=True, metadata=INSTANT)
    lastLoginTimeMS = fields.Integer(metadata=MILLISECONDS)


class IssuedClientFields(ClientFields):
    """A client, and the token that it got."""

    token = fields.String()
    expirationDate = fields.String(metadata=INSTANT)


class BoundClientFields(ClientFields):
    """A client and the token that was bound to it."""

    client = fields.String(required=True)
    token = fields.String(required=True)
    expirationDate = fields.String(required=True, metadata=INSTANT)


class Device(Schema):
    """A device, and when it was last seen."""

    id = fields.String(required=True)
    lastSeenMS = fields.Integer(required=True, metadata=MILLISECONDS)


class ListedClientFields(ClientFields):
    """A client and its devices."""

    devices = fields.List(fields.Nested(Device), required=True)


class Page(Schema):
    """Some of the clients that match."""

    totalCount = fields.Integer(required=True)
    data = fields.List(fields.Nested(ListedClientFields), required=True)


class Number(Schema):
    """How many there were."""

    count = fields.Integer(required=True)


class Revocation(Schema):
    """What was revoked."""

    success = fields.Boolean(required=True)
    message = fields.String(required=True)
    revokedTokens = fields.Integer(required=True)


class Total(Schema):
    """How much is unread."""

    badge = fields.Integer(required=True)


class Client(Success):
    """A client."""

    result = fields.Nested(ClientFields, required=True)


class IssuedClient(Success):
    """A client, and the token that it got."""

    result = fields.Nested(IssuedClientFields, required=True)


class BoundClient(Success):
    """A client and its token."""

    result = fields.Nested(BoundClientFields, required=True)


class Clients(Success):
    """Some of the clients that match."""

    result = fields.Nested(Page, required=True)


class Count(Success):
    """How many clients were made or changed."""

    result = fields.Nested(Number, required=True)


class Revoked(Success):
    """What was revoked."""

    result = fields.Nested(Revocation, required=True)


class Unread(Success):
    """How much is unread."""

    result = fields.Nested(Total, required=True)


class Owner(Schema):
    """Whose token it is. What is not known is absent."""

    id = fields.String(required=True)
    nickname = fields.String()
    avatarUrl = fields.String()


#: A count for each source, the sum, and the client.
BADGE = {
    "type": "object",
    "description": "A client's count for each source, and their sum.",
    "properties": {
        "clientId": {"type": "string"},
        "total": {"type": "integer"},
        "badge": {"type": "integer"},
        "imkit": {"type": "integer"},
    },
    "required": ["clientId", "total", "badge", "imkit"],
    "additionalProperties": {"type": "integer"},
}
