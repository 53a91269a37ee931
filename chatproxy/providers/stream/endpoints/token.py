"""`GET /token/<userId>`: a user token in one call."""

from flask import Blueprint, Response

from chatproxy.errors import CallerError
from chatproxy.providers.stream.provider import Stream
from chatproxy.web.answers import private
from chatproxy.web.current import now, provider

blueprint = Blueprint("stream-token", __name__)


@blueprint.get("/<anything:user_id>")
def token(user_id: str) -> Response:
    """Answer 201 with `userId` and `token`; 400 for an id that the provider cannot know.

    Whether the user exists is not asked. The id is matched with its slashes, so
    that an encoded one is a bad id and not another path.
    """
    stream = provider(Stream)

    if not stream.is_user_id(user_id):
        raise CallerError("The user id must be 1 to 255 of the characters A-Z a-z 0-9 @ _ -")

    issued = stream.issue_token(user_id, now())
    return private({"userId": user_id, "token": issued}, 201)
