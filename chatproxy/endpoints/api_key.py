"""`GET /api-key`: the public key with which a client names the application."""

from flask import Blueprint, Response, jsonify

from chatproxy.endpoints.serving import default_route

blueprint = Blueprint("api_key", __name__)


@blueprint.get("/api-key")
def api_key() -> Response:
    """Answer `api_key`."""
    return jsonify({"api_key": default_route().provider.api_key})
