"""`/rest/v1/customer-users`: the users of a company."""

from collections.abc import Sequence
from typing import Any, cast

from flask import Blueprint, Response
from marshmallow import fields, validate

from chatproxy.errors import NotFound
from chatproxy.formats.timestamps import iso
from chatproxy.identity.finding import Condition, Field
from chatproxy.identity.user import Profile, User
from chatproxy.providers.performchat.endpoints.access import Body, Company
from chatproxy.providers.performchat.endpoints.paging import Page, requested_page
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, directory
from chatproxy.web.parsing import load
from chatproxy.web.user_schema import LONGEST_NAME
from chatproxy.web.validators import storable, storable_object

listing = Blueprint("performchat-customers", __name__)
single = Blueprint("performchat-customer", __name__)


class FilterBody(Body):
    """What listed users must have, beside the key."""

    external_id = fields.String(load_default=None, allow_none=True, validate=storable)
    name = fields.String(load_default=None, allow_none=True, validate=storable)
    email = fields.String(load_default=None, allow_none=True, validate=storable)


class ChangeBody(Body):
    """What is changed of a user, beside the key. What is absent or null is left alone."""

    name = fields.String(allow_none=True, validate=[validate.Length(1, LONGEST_NAME), storable])
    email = fields.String(
        allow_none=True, validate=[validate.Email(), validate.Length(max=LONGEST_NAME), storable]
    )
    metadata = fields.Raw(allow_none=True, validate=storable_object)


def requested_users(document: dict[str, Any]) -> tuple[Page, Sequence[Condition]]:
    """Read which users are asked for, and which page of them; raise `CallerError`."""
    page = requested_page()
    conditions = [
        Condition(cast(Field, field), "in", (value,))
        for field, value in load(FilterBody(), document).items()
        if value is not None
    ]
    return page, conditions


def requested_change(document: dict[str, Any]) -> Profile:
    """Read what is to be changed; raise `InvalidBody`."""
    envelope = load(ChangeBody(), document)
    return Profile(envelope.get("name"), None, envelope.get("email"), envelope.get("metadata"))


@listing.get("")
def show_all() -> Response:
    """Answer a page of the company's users that fit the filter."""
    company = authenticated(Company)
    page, conditions = company.requested
    users, total = directory().finder.page(company.app_id, conditions, page.offset, page.limit)
    answer: Response = page.answer([_shown(user) for user in users], total)
    return answer


@single.put("")
def change(user_id: str) -> Response:
    """Change a user, named by its internal id; metadata is merged, name by name."""
    company, users = authenticated(Company), directory().users
    known = "\0" not in user_id  # no database holds one, and PostgreSQL refuses the question
    user = users.change(company.app_id, user_id, company.requested) if known else None

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
