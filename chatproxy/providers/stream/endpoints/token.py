"""`GET /token/<userId>`: issue a user token."""

from flask import Blueprint, Response

from chatproxy.errors import CallerError
from chatproxy.providers.stream.provider import Stream
from chatproxy.providers.stream.tokens import BAD_USER_ID, is_user_id
from chatproxy.web import access
from chatproxy.web.answers import private
from chatproxy.web.current import now, provider

blueprint = Blueprint("stream-token", __name__)


@blueprint.get("/<anything:user_id>")
def token(user_id: str) -> Response:
    """Answer 201 with `userId` and `token`. The user need not exist.

    The route matches slashes too, so that an id with an encoded slash is a bad id (400)
    and not another path.
    """
    stream = provider(Stream)

    if not is_user_id(user_id):
        raise CallerError(BAD_USER_ID)

    access.acts_for(user_id)
    issued = stream.tokens.make(user_id, now())
    return private({"userId": user_id, "token": issued}, 201)
