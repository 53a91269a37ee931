"""`GET /config`: what a web or mobile client needs to start."""

import json
import logging

from flask import Blueprint, Response
from marshmallow import fields, validate

from chatproxy.errors import CallerError
from chatproxy.providers.stream.provider import Stream
from chatproxy.providers.stream.tokens import is_user_id
from chatproxy.web import access
from chatproxy.web.answers import private
from chatproxy.web.current import now, provider, services
from chatproxy.web.parsing import header_text, load_query
from chatproxy.web.user_schema import ObjectSchema

log = logging.getLogger(__name__)

blueprint = Blueprint("stream-config", __name__)

AUTHENTICATION = "authentication"

#: Messages for a caller who is not logged in, if the document has none.
NOT_LOGGED_IN = {"title": "Not logged in", "message": "Log in to use the chat."}


class ConfigQuery(ObjectSchema):
    """The query of `GET /config`."""

    client_type = fields.String(
        data_key="clientType", required=True, validate=validate.Length(1, 255)
    )


@blueprint.get("")
def config() -> Response:
    """Answer the client type's object with `authentication`, or with the error object.

    An unknown client type has an empty object.
    """
    client_type = load_query(ConfigQuery)["client_type"]
    stream = provider(Stream)
    document = dict(stream.client_config.get(client_type, {}))
    document.pop(AUTHENTICATION, None)  # a file must not fake a session
    messages = document.pop(stream.error_object_key, NOT_LOGGED_IN)
    user_id = _user_id(stream)

    if user_id is None:
        return private(document | {stream.error_object_key: messages})

    access.acts_for(user_id)
    token = stream.tokens.make(user_id, now())
    authentication = {"apiKey": stream.api_key, "userId": user_id, "userToken": token}
    return private(document | {AUTHENTICATION: authentication})


def _user_id(stream: Stream) -> str | None:
    """Return who is logged in according to the gateway's header, or None if nobody is."""
    header, *properties = services().settings.user_id_header.split(".")
    given = _header(header)
    user_id = given if not properties else _property(given, properties)

    if not user_id:
        return None

    for prefix in stream.user_id_prefixes:
        if user_id.startswith(prefix):
            user_id = user_id.removeprefix(prefix)
            break

    if is_user_id(user_id):
        return user_id

    # Somebody has to look at `USERID_STRIP_PREFIX` or at the gateway.
    log.warning(
        "the user id in the header is not one that the provider allows: served as anonymous",
        extra={"header": header, "length": len(user_id)},
    )
    return None


def _header(name: str) -> str:
    # A header that is not UTF-8 names nobody, so the caller is anonymous.
    try:
        return (header_text(name) or "").strip()
    except CallerError:
        return ""


def _property(text: str, path: list[str]) -> str | None:
    # Anything unexpected makes the caller anonymous: the header is the gateway's, not theirs.
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None

    for name in path:
        value = value.get(name) if isinstance(value, dict) else None

    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)

    return value.strip() if isinstance(value, str) else None
