"""`/ws`: WebSockets are not proxied; the answer says where clients connect."""

from flask import Blueprint, Response

from chatproxy.providers.chatsdk.provider import ChatSDK
from chatproxy.web.current import provider
from chatproxy.web.relay import METHODS

blueprint = Blueprint("chatsdk-websocket", __name__)


@blueprint.route("", methods=METHODS)
@blueprint.route("/<anything:path>", methods=METHODS)
def websocket(path: str = "") -> Response:  # noqa: ARG001 - all places are alike
    """Answer 501 with the address of the WebSocket."""
    raise provider(ChatSDK).no_websocket()
