"""`/api/*`: a client's calls, checked here and forwarded with the real key put in."""

from flask import Blueprint, Response, request

from chatproxy.web import guards
from chatproxy.web.cors import CrossOrigin
from chatproxy.web.relay import METHODS, relayed
from chatproxy.web.serving import context, services
from chatproxy.errors import BadTarget, Forbidden
from chatproxy.providers.chatsdk.endpoints import access
from chatproxy.providers.chatsdk.keyroutes import asks_for_a_key_only
from chatproxy.providers.chatsdk.provider import ChatSDK

blueprint = Blueprint("chatsdk-api", __name__)

cross_origin = CrossOrigin(lambda: access.chatsdk().allowed_origins)
blueprint.after_request(cross_origin.mark)


@blueprint.route("/api/<anything:path>", methods=METHODS)
def forwarded(path: str) -> Response:  # noqa: ARG001 - the raw target is forwarded, not this
    """Check the user's token, and hand the call to the ChatSDK server."""
    access.user_token(access.chatsdk().tokens.rest)
    prefix, target = services().settings.service_prefix, context().target.path

    if not target.startswith(f"{prefix}/api/"):
        raise BadTarget("The path before the forwarded part must not be percent-encoded.")

    if asks_for_a_key_only(request.method, target.removeprefix(prefix)):
        raise Forbidden("This call is made with an API key, not for a user.")

    bearer = guards.bearer(missing="Missing token")
    credentials = access.chatsdk().authorise().beside([("Authorization", f"Bearer {bearer}")])
    return relayed(services().routes[ChatSDK.name], prefix, credentials)


@blueprint.route("/api/<anything:path>", methods=["OPTIONS"])
def preflight(path: str) -> Response:  # noqa: ARG001 - all places are alike
    """Answer a browser that asks whether a page may call."""
    return cross_origin.preflight()
