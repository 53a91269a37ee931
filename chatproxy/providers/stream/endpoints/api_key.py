"""`GET /api-key`: the public key with which a client names the application."""

from flask import Blueprint, Response, jsonify

from chatproxy.web.serving import default_provider

blueprint = Blueprint("api_key", __name__)


@blueprint.get("/api-key")
def api_key() -> Response:
    """Answer `api_key`."""
    return jsonify({"api_key": default_provider().api_key})
