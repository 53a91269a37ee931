"""What `/v1` answers, for the OpenAPI document."""

from marshmallow import INCLUDE, Schema, fields, validate

CAME = {"description": "What came of it, by provider."}
#: The words of an error, beside those of what can be done.
IN_VAIN = ("refused", "failed")


class Outcome(Schema):
    """What came of asking one provider, and why it was in vain where it was."""

    class Meta:
        unknown = INCLUDE  # each provider has fields of its own

    errorMsg = fields.String()
    code = fields.Integer(metadata={"description": "The status that it would have alone."})


class TokensOutcome(Outcome):
    """A provider's tokens by name, when they end, and what its client connects with."""

    status = fields.String(required=True, validate=validate.OneOf(("issued", *IN_VAIN)))
    expiresAt = fields.String(
        allow_none=True, metadata={"description": "When all of them end. Null: never."}
    )
    connect = fields.Dict()


class EndedOutcome(Outcome):
    """What became of the tokens of a provider; `unknown`: it has nobody with this id."""

    status = fields.String(
        required=True, validate=validate.OneOf(("ended", "unknown", "notEnded", *IN_VAIN))
    )
    reason = fields.String()


class KnownOutcome(Outcome):
    """Who it is at a provider."""

    status = fields.String(required=True, validate=validate.OneOf(("known", "unknown", *IN_VAIN)))


class Each(Schema):
    """What came of asking each provider."""

    userId = fields.String(required=True)
    complete = fields.Boolean(
        required=True, metadata={"description": "Whether all was done. The status says it too."}
    )


class Tokens(Each):
    """One person's tokens, and what else its clients connect with."""

    providers = fields.Dict(
        keys=fields.String(), values=fields.Nested(TokensOutcome), required=True, metadata=CAME
    )


class Ended(Each):
    """What became of one person's tokens."""

    providers = fields.Dict(
        keys=fields.String(), values=fields.Nested(EndedOutcome), required=True, metadata=CAME
    )


class Known(Each):
    """Who somebody is."""

    directory = fields.Dict(
        required=True, allow_none=True, metadata={"description": "Null: not in the directory."}
    )
    providers = fields.Dict(
        keys=fields.String(), values=fields.Nested(KnownOutcome), required=True, metadata=CAME
    )
