"""What the sidecar's own routes take and answer, and the paths below which calls are forwarded."""

from marshmallow import Schema, fields, validate

from chatproxy import __version__
from chatproxy.access.keys import HEADER
from chatproxy.errors import ChatproxyError, NotFound, UnsupportedBody
from chatproxy.openapi.operation import Answer, ErrorShape, Operation, Parameter, Surface
from chatproxy.providers.base import Provider
from chatproxy.web.error_handlers import own_error_body
from chatproxy.web.status import NAME
from chatproxy.web.v1 import operations as v1

#: The schemes of a key in the access document.
KEY = "chatproxyKey"
BEARER = "chatproxyBearer"

#: A path that is forwarded: a parameter of OpenAPI ends at a slash, this one does not.
BELOW = Parameter(
    "The path at the provider, slashes included. It goes out byte for byte.",
    "app",
    {
        "type": "string",
        "minLength": 1,
        "pattern": r"^[A-Za-z0-9_~-][A-Za-z0-9_~/-]*$",
        "description": "Other characters may be sent as well. A dot segment, a backslash and a "
        "control character, however encoded, are 400.",
    },
)


#: The path of a browser's preflight request: whatever it is, the answer is the same.
ANYWHERE = Parameter("The path that the page wants to call.", "app")
ORIGIN = Parameter("The page's origin.", "https://app.example", required=True)


class Error(Schema):
    """What went wrong."""

    message = fields.String(
        data_key="errorMsg", required=True, metadata={"description": "A sentence for people."}
    )


class Status(Schema):
    """Whether the sidecar works."""

    status = fields.String(required=True, validate=validate.OneOf(["OK", "KO"]))
    name = fields.String(required=True)
    version = fields.String(required=True)
    message = fields.String(metadata={"description": "What is wrong, where the status is KO."})


class Readiness(Status):
    """Whether requests may come, and what an operator has to look at, by section."""

    reasons = fields.List(
        fields.String(),
        metadata={"description": "Codes for why no requests should come, where the status is KO."},
    )
    config = fields.Dict(metadata={"description": "Changed settings that are not in force."})
    credentials = fields.Dict(metadata={"description": "Our credentials that a provider refuses."})
    permissions = fields.Dict(
        metadata={"description": "Permissions documents that are not in force, by provider."}
    )
    directory = fields.Dict(metadata={"description": "Why the directory cannot be used."})
    limits = fields.Dict(metadata={"description": "Why limits cannot be counted."})


UNCHANGED = Answer("Nothing has changed since the answer that `If-None-Match` names.")

GOOD = {"status": "OK", "name": NAME, "version": __version__}
BAD = GOOD | {"status": "KO"}

SURFACE = Surface(
    "sidecar",
    "For those who run it.",
    {
        "status.healthz": Operation("Is the process alive?", {200: Answer("It is.", Status, GOOD)}),
        "status.ready": Operation(
            "May requests come?",
            {
                200: Answer("They may.", Readiness, GOOD),
                503: Answer(
                    "They should go elsewhere.",
                    Readiness,
                    BAD | {"message": "The sidecar is being stopped.", "reasons": ["draining"]},
                ),
            },
        ),
        "status-metrics.metrics": Operation(
            "What was counted, for Prometheus",
            {
                200: Answer(
                    "What all workers have counted together.",
                    {"type": "string"},
                    media="text/plain",
                    also={"application/openmetrics-text": {"schema": {"type": "string"}}},
                )
            },
        ),
        "status-check.check_up": Operation(
            "Can every dependency be reached, and does it accept us?",
            {
                200: Answer("It can.", Status, GOOD),
                503: Answer(
                    "Something cannot.", Status, BAD | {"message": "stream: answered 500."}
                ),
            },
        ),
        "status-console.console": Operation(
            "The state of the sidecar as a page for people",
            {
                200: Answer(
                    "The page. It needs no script and loads nothing.",
                    {"type": "string"},
                    media="text/html",
                    headers={"Content-Security-Policy": "Only the page's own style."},
                )
            },
            "Dependencies are asked at most every 15 seconds, however often it is loaded.",
        ),
        "documentation.json_document": Operation(
            "This document",
            {
                200: Answer("The document of the routes that are in force.", {"type": "object"}),
                304: UNCHANGED,
            },
        ),
        "documentation.page": Operation(
            "This document as a page",
            {
                200: Answer(
                    "Swagger UI, without any request to another host.",
                    {"type": "string"},
                    media="text/html",
                ),
                304: UNCHANGED,
            },
        ),
        "documentation.asset": Operation(
            "A script or style of the page",
            {
                200: Answer(
                    "The file.",
                    {"type": "string"},
                    media="text/javascript",
                    also={"text/css": {"schema": {"type": "string"}}, "image/png": {}},
                ),
                304: UNCHANGED,
            },
            path={"name": Parameter("The name of the file.", "swagger-ui.css")},
            errors=(NotFound,),
        ),
        **v1.OPERATIONS,
    },
    {own_error_body: [ErrorShape((ChatproxyError,), Error)]},
    {
        KEY: {
            "type": "apiKey",
            "in": "header",
            "name": HEADER,
            "description": "A caller's key, as `chatproxy access key` prints it.",
        },
        BEARER: {
            "type": "http",
            "scheme": "bearer",
            "description": "The same, where the header is not used otherwise.",
        },
    },
)


def forwarded(provider: Provider) -> Operation:
    """Return what is the same below every path at which calls are forwarded to a provider."""
    rewritten = provider.authorise().body is not None
    return Operation(
        "Forward a call with the credentials put in",
        {},
        "Body and answer are streamed as they come. Whoever reaches this is an administrator of "
        "the chat." + (" The credentials go into the JSON body." if rewritten else ""),
        path={"path": BELOW},
        body={"type": "object"} if rewritten else None,
        body_is_required=False,
        errors=(UnsupportedBody,) if rewritten else (),
        forwarded=True,
    )
