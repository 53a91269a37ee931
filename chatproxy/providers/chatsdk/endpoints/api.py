"""`/api/*`: calls of clients, checked here and forwarded with the real API key."""

from flask import Blueprint, Response, request

from chatproxy.errors import Forbidden, NotFound
from chatproxy.providers.chatsdk.endpoints.access import Client, rest_token
from chatproxy.providers.chatsdk.keyroutes import needs_api_key
from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.web.cors import CrossOrigin
from chatproxy.web.current import authenticated, context, provider, serves, services
from chatproxy.web.parsing import path_below
from chatproxy.web.relay import METHODS, relay

blueprint = Blueprint("chatsdk-api", __name__)
preflight = Blueprint("chatsdk-preflight", __name__)

cross_origin = CrossOrigin(lambda: provider(ChatSDK).allowed_origins)
blueprint.after_request(cross_origin.mark)
preflight.after_request(cross_origin.mark)


def client() -> Client:
    """Let a client in by its `token`. What services call is not there at the door of clients."""
    if not serves("service") and _is_for_keys():
        raise NotFound("Nothing is served at this path.")

    return rest_token()


@blueprint.route("/<anything:path>", methods=METHODS)
def forwarded(path: str) -> Response:  # noqa: ARG001 - the raw target is forwarded, not this
    """Forward a client's call to the ChatSDK server."""
    bearer = authenticated(Client).bearer

    if _is_for_keys():
        raise Forbidden("This call is made with an API key, not for a user.")

    credentials = provider(ChatSDK).credentials_of_user(bearer)
    prefix = services().settings.service_prefix
    return relay(services().backends[ChatSDK.name], prefix, credentials)


@preflight.route("/<anything:path>", methods=["OPTIONS"])
def allow(path: str) -> Response:  # noqa: ARG001 - all places are alike
    """Answer a browser's preflight request."""
    return cross_origin.preflight()


def _is_for_keys() -> bool:
    content_type = request.environ.get("CONTENT_TYPE", "")
    return needs_api_key(request.method, _path(), context().target.query, content_type)


def _path() -> str:
    return f"/api{path_below('/api')}"
