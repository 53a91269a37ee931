"""What ImbaChat's endpoints answer, for the OpenAPI document."""

from marshmallow import Schema, fields, validate

A_PICTURE = {"type": ["string", "boolean"], "description": "A URL, or `false`."}
AN_ID = {"type": ["string", "integer"]}


class Error(Schema):
    """A failure."""

    code = fields.Integer(required=True)
    version = fields.String(required=True)
    error = fields.String(required=True)
    debug = fields.String(required=True)


class IdsQuery(Schema):
    """Whose data is asked for, beside the ids in the path."""

    user_ids = fields.String(metadata={"description": "Ids with commas between them."})
    ids = fields.String(metadata={"description": "The same."})
    text = fields.String(
        data_key="str",
        metadata={"description": "Instead of ids a text, which the name or id contains."},
    )


class Profile(Schema):
    """One more profile of a user."""

    user_id = fields.Raw(required=True, metadata=AN_ID)
    name = fields.String(required=True)
    avatar_url = fields.Raw(metadata=A_PICTURE)


class User(Schema):
    """A user."""

    user_id = fields.Integer(required=True)
    name = fields.String(required=True)
    avatar_url = fields.Raw(metadata=A_PICTURE)
    profile_url = fields.String()
    lastlogin = fields.Integer(metadata={"description": "In epoch seconds."})
    badge = fields.Raw(metadata=AN_ID)
    user_mail = fields.String()
    chat_role = fields.String(validate=validate.OneOf(("admin", "user")))
    permissions = fields.Raw(
        metadata={"type": ["object", "boolean"], "description": "`false`, or what the user may do."}
    )
    profiles = fields.Dict(values=fields.Nested(Profile))


class Named(Schema):
    """A user who was found."""

    user_id = fields.Integer(required=True)
    name = fields.String(required=True)


class FirstHit(Schema):
    """The first user who was found; both are null where there is none."""

    user_id = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)


class Hit(Named):
    """A user who was found."""

    email = fields.String(required=True)


class Hits(Schema):
    """Who was found, at most 50; without `data` where nobody was."""

    code = fields.Integer(required=True, validate=validate.Equal(200))
    version = fields.String(required=True)
    data = fields.List(fields.Nested(Hit))


class Version(Schema):
    """The version of the interface."""

    version = fields.String(required=True)
    type = fields.String(required=True)


class Issued(Schema):
    """A token, under both of the vendor's names."""

    user_id = fields.Integer(required=True)
    token = fields.String(required=True, metadata={"description": "A JWT, signed by HS256."})
    user_key = fields.String(required=True)


class Token(Issued):
    """A token and its life."""

    expiresIn = fields.Integer(required=True, metadata={"description": "In seconds."})


class Widget(Issued):
    """The options that load the widget."""

    scriptUrl = fields.String(required=True, metadata={"format": "uri"})
    dialog = fields.String()
    language = fields.String()
    theme = fields.String()
    position = fields.String()
