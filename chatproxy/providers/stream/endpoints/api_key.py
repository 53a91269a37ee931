"""`GET /api-key`: the public key by which a client names the application."""

from flask import Blueprint, Response, jsonify

from chatproxy.providers.stream.provider import Stream
from chatproxy.web.current import provider

blueprint = Blueprint("stream-api-key", __name__)


@blueprint.get("")
def api_key() -> Response:
    """Answer the public API key."""
    return jsonify({"api_key": provider(Stream).api_key})
