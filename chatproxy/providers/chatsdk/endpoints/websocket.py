"""`/ws`: no WebSocket is held here; say where clients connect."""

from flask import Blueprint, Response

from chatproxy.web.relay import METHODS
from chatproxy.providers.chatsdk.endpoints import access

blueprint = Blueprint("chatsdk-websocket", __name__)


@blueprint.route("/ws", methods=METHODS)
@blueprint.route("/ws/<anything:path>", methods=METHODS)
def websocket(path: str = "") -> Response:  # noqa: ARG001 - all places are alike
    """Answer 501."""
    raise access.chatsdk().no_websocket()
