"""`GET /token/<userId>`: a user token in one call."""

from flask import Blueprint, Response

from chatproxy.web.serving import default_provider, now, private
from chatproxy.errors import CallerError

blueprint = Blueprint("token", __name__)


@blueprint.get("/token/<anything:user_id>")
def token(user_id: str) -> Response:
    """Answer 201 with `userId` and `token`; 400 for an id that the provider cannot know.

    Whether the user exists is not asked. The id is matched with its slashes, so
    that an encoded one is a bad id and not another path.
    """
    provider = default_provider()

    if not provider.is_user_id(user_id):
        raise CallerError("The user id must be 1 to 255 of the characters A-Z a-z 0-9 @ _ -")

    issued = provider.issue_token(user_id, now())
    return private({"userId": user_id, "token": issued}, 201)
