"""`/rest/v1/customer-users`: the users of a company."""

from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import NotFound
from chatproxy.formats.timestamps import iso
from chatproxy.identity.records import User
from chatproxy.providers.performchat.endpoints.access import Company, check_access
from chatproxy.web import access
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, directory

listing = Blueprint("performchat-customers", __name__)
single = Blueprint("performchat-customer", __name__)


@listing.get("")
@access.shows()
def show_all() -> Response:
    """Answer a page of the company's users that match the filter."""
    company = authenticated(Company)
    access.acts_for_all()
    page, search = company.page, directory().user_search
    users, total = search.page(company.app_id, company.requested, page.offset, page.limit)
    answer: Response = page.answer((_user_body(user) for user in users), total)
    return answer


@single.put("")
def change(user_id: str) -> Response:
    """Change a user, named by its internal id; metadata is merged key by key."""
    company, users = authenticated(Company), directory().users
    check_access(user_id)
    known = "\0" not in user_id  # PostgreSQL refuses a query with a NUL
    user = users.change(company.app_id, user_id, company.requested) if known else None

    if user is None:
        raise NotFound("Customer user not found")

    return private(_user_body(user) | {"updated_at": iso(user.updated)})


def _user_body(user: User) -> dict[str, Any]:
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
