"""`/rest/v1/customer-users`: the users of a company."""

from typing import Any, cast

from flask import Blueprint, Response
from marshmallow import fields, validate

from chatproxy.web.user_schema import LONGEST_NAME
from chatproxy.web.serving import directory, load, private
from chatproxy.web.validators import storable, storable_object
from chatproxy.errors import NotFound
from chatproxy.identity.finding import Condition, Field
from chatproxy.identity.user import Profile, User
from chatproxy.providers.performchat.endpoints import access
from chatproxy.providers.performchat.endpoints.paging import asked_page, paged
from chatproxy.providers.performchat.endpoints.pathids import plain_id
from chatproxy.formats.timestamps import iso

blueprint = Blueprint("performchat-customers", __name__)


class FilterBody(access.Body):
    """What listed users must have, beside the key."""

    external_id = fields.String(load_default=None, allow_none=True, validate=storable)
    name = fields.String(load_default=None, allow_none=True, validate=storable)
    email = fields.String(load_default=None, allow_none=True, validate=storable)


class ChangeBody(access.Body):
    """What is changed of a user, beside the key. What is absent or null is left alone."""

    name = fields.String(allow_none=True, validate=[validate.Length(1, LONGEST_NAME), storable])
    email = fields.String(
        allow_none=True, validate=[validate.Email(), validate.Length(max=LONGEST_NAME), storable]
    )
    metadata = fields.Raw(allow_none=True, validate=storable_object)


@blueprint.get("/rest/v1/customer-users")
def show_all() -> Response:
    """Answer a page of the company's users that fit the filter."""
    page, limit = asked_page()
    document = access.body()
    wanted = [
        Condition(cast(Field, field), "in", (value,))
        for field, value in load(FilterBody(), document).items()
        if value is not None
    ]
    key = access.platform_key(document)
    users, total = directory().finder.page(key.app_id, wanted, (page - 1) * limit, limit)
    return paged([_shown(user) for user in users], total, page, limit)


@blueprint.put("/rest/v1/customer-users/<user_id>")
def change(user_id: str) -> Response:
    """Change a user, named by its internal id; metadata is merged, name by name."""
    document = access.body()
    said = load(ChangeBody(), document)
    key = access.platform_key(document)
    profile = Profile(said.get("name"), None, said.get("email"), said.get("metadata"))
    user = directory().users.change(key.app_id, plain_id(user_id), profile)

    if user is None:
        raise NotFound("Customer user not found")

    return private(_shown(user) | {"updated_at": iso(user.updated)})


def _shown(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "external_id": user.external_id,
        "name": user.name,
        "email": user.email,
        "metadata": user.custom,
        "active": user.active,
        "created_at": iso(user.created),
        "last_seen_at": iso(user.last_seen),
    }
