"""`/api/*`: a client's calls, checked here and forwarded with the real key put in."""

import re

from flask import Blueprint, Response, request

from chatproxy.endpoints import guards
from chatproxy.endpoints.proxy import METHODS, Relay, relayed
from chatproxy.endpoints.serving import context, services
from chatproxy.errors import BadTarget, Forbidden, WrongMethod
from chatproxy.providers.chatsdk.endpoints import access
from chatproxy.providers.chatsdk.keyroutes import asks_for_a_key_only
from chatproxy.providers.chatsdk.provider import ChatSDK

blueprint = Blueprint("chatsdk-api", __name__)

FIELD_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,1024}")
#: Fields of an answer that a page may read beside those that it always may.
EXPOSED = "Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id"
PREFLIGHT_SECONDS = "600"


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
    """Answer a browser that asks whether a page may call (Fetch standard, CORS-preflight)."""
    if _allowed_origin() is None:
        raise WrongMethod("This method is not forwarded.", allowed=METHODS)

    answer = Response(status=204)
    wanted = request.headers.get("Access-Control-Request-Headers", "")
    answer.headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
    answer.headers["Access-Control-Max-Age"] = PREFLIGHT_SECONDS

    if FIELD_NAMES.fullmatch(wanted):
        answer.headers["Access-Control-Allow-Headers"] = wanted

    return answer


@blueprint.after_request
def with_cors(answer: Response) -> Response:
    """Say which pages may read the answer; what the server behind says of it is not passed on."""
    origin = _allowed_origin()
    ours = [("Access-Control-Allow-Origin", origin)] if origin else []
    ours += [("Access-Control-Expose-Headers", EXPOSED)] if origin else []
    ours += [("Vary", "Origin")] if access.chatsdk().allowed_origins else []

    if isinstance(answer, Relay):
        answer.add_fields(ours)
    else:
        answer.headers.extend(ours)

    return answer


def _allowed_origin() -> str | None:
    """Return what to allow the page that asks, None where it may not, or no page asks."""
    allowed = access.chatsdk().allowed_origins
    origin = request.headers.get("Origin", "")

    if "*" in allowed:
        return "*" if origin else None

    return origin if origin in allowed else None
