"""`GET /imbachat/api/v1`: the version of the interface."""

from flask import Blueprint, Response, jsonify

from chatproxy.providers.imbachat.errors import VERSION

blueprint = Blueprint("imbachat-version", __name__)


@blueprint.get("")
def version() -> Response:
    """Answer the version and what serves it."""
    # Open, as in the vendor's plugin for OctoberCMS.
    return jsonify({"version": VERSION, "type": "chatproxy"})
