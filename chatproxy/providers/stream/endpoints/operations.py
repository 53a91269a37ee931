"""What Stream's endpoints take and answer, for the OpenAPI document."""

from chatproxy.errors import (
    CallerError,
    ChatproxyError,
    NotConfigured,
    NotFound,
    StillUnderWay,
    UpstreamBroken,
    UpstreamBusy,
    UpstreamError,
    UpstreamTimeout,
    UpstreamUnreachable,
    WebhookForeign,
    WebhookForged,
)
from chatproxy.openapi.operation import Answer, ErrorShape, Operation, Parameter, Surface
from chatproxy.providers.stream.endpoints import answers
from chatproxy.providers.stream.endpoints.config import ConfigQuery
from chatproxy.providers.stream.endpoints.token import TokenQuery, UpsertQuery
from chatproxy.providers.stream.endpoints.users import GuestBody, RevocationBody
from chatproxy.providers.stream.endpoints.webhook import Event
from chatproxy.providers.stream.errors import envelope
from chatproxy.providers.stream.tokens import USER_ID

NO_STORE = {"Cache-Control": "`no-store`: the answer holds a token."}
ID = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": f"^{USER_ID.pattern}$"}
#: What can go wrong where Stream is asked.
ASKING = (UpstreamError, UpstreamUnreachable, UpstreamBroken, UpstreamBusy, UpstreamTimeout)
PAYLOAD = '{"type":"message.new","user":{"id":"alice"}}'


GUEST = {
    "id": "guest-1f0c-tom",
    "name": "Tom",
    "role": "guest",
    "language": "",
    **dict.fromkeys(("banned", "online", "invisible", "shadow_banned"), False),
    **dict.fromkeys(("created_at", "updated_at"), "2026-11-27T09:00:00.000000Z"),
    **dict[str, list[str]](teams=[], blocked_user_ids=[]),
}

#: With `encoding` the event is in base64.
EVENT = {
    "allOf": [Event],
    "if": {"properties": {"encoding": {"const": "base64"}}, "required": ["encoding"]},
    "then": {
        "properties": {
            "rawBody": {"pattern": "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"}
        }
    },
}

SURFACE = Surface(
    "Stream",
    "Tokens, client configuration, webhooks, and calls to Stream's REST API.",
    {
        "stream-token.token": Operation(
            "Issue a user token",
            {
                201: Answer(
                    "The token.",
                    answers.TokenWithEnd,
                    {"userId": "alice", "token": "eyJ…"},
                    headers=NO_STORE,
                )
            },
            "The user need not exist. The token ends where `EXPIRATION_TOKEN_DURATION` is set or "
            "`expiresIn` is given, and never otherwise.",
            path={"userId": Parameter("Who the token is for.", "alice", ID)},
            query=TokenQuery,
            errors=(CallerError, *ASKING),
        ),
        "stream-revocation.revoke": Operation(
            "End the tokens of a user at Stream",
            {
                200: Answer(
                    "They are ended.",
                    answers.Revoked,
                    {
                        "userId": "alice",
                        "revokedBefore": "2026-11-27T09:00:01.000Z",
                        "newTokensFrom": "2026-11-27T09:00:06.000Z",
                    },
                )
            },
            "By Stream's own `revoke_tokens_issued_before`. A user whom Stream does not have is "
            "404, since nothing can be noted about it there; `upsert` makes it first.",
            path={"userId": Parameter("Whose tokens they are.", "alice", ID)},
            query=UpsertQuery,
            body=RevocationBody,
            example={},
            body_is_required=False,
            errors=(CallerError, NotFound, *ASKING),
        ),
        "stream-guests.make_guest": Operation(
            "Make a guest at Stream",
            {
                201: Answer(
                    "The guest, and its token.",
                    answers.Guest,
                    {
                        "userId": "guest-1f0c-tom",
                        "token": "eyJ…",
                        "user": GUEST,
                    },
                    headers=NO_STORE,
                )
            },
            body=GuestBody,
            example={"user": {"id": "tom", "name": "Tom"}},
            errors=(CallerError, *ASKING),
        ),
        "stream-api-key.api_key": Operation(
            "The public API key",
            {200: Answer("The key.", answers.Key, {"api_key": "<your API key>"})},
        ),
        "stream-config.config": Operation(
            "What a web or mobile client needs to start",
            {
                200: Answer(
                    "The client type's object, with `authentication` or messages for somebody "
                    "who is not logged in.",
                    answers.Configuration,
                    {"errors": {"title": "Not logged in", "message": "Log in to use the chat."}},
                    headers={"Cache-Control": "`no-store`: it depends on who asks."},
                )
            },
            "An unknown client type has an empty object.",
            query=ConfigQuery,
            asked={"clientType": "web"},
            headers={
                "userid": Parameter(
                    "Who is logged in, as the gateway says. `USERID_HEADER_KEY` names another "
                    "header. What is no usable id counts as nobody."
                )
            },
            errors=(CallerError,),
        ),
        "stream-webhook.verify": Operation(
            "Is an event really the provider's?",
            {
                200: Answer(
                    "The verdict. A wrong signature is no failure.",
                    answers.Verdict,
                    {"isValid": False},
                )
            },
            body=EVENT,
            example={"rawBody": PAYLOAD, "signature": "00" * 32},
        ),
        "stream-receiving.receive": Operation(
            "Receive a webhook of Stream's",
            {
                200: Answer(
                    "What `WEBHOOK_TARGET` answers, with its status. The body is empty, and "
                    "`X-Chatproxy-Duplicate` is `true`, where it was handed on before.",
                    {},
                    {},
                )
            },
            "The body as Stream sends it, compressed or not, or a message of SNS or SQS. It is "
            "handed on once, and answered when the target has.",
            headers={
                "X-Signature": Parameter("Of the uncompressed event."),
                "X-Api-Key": Parameter("The application's key; another one is refused."),
                "X-Webhook-Id": Parameter("The same when an event is sent again."),
            },
            body={"type": "object"},
            example={"type": "message.new", "user": {"id": "alice"}},
            errors=(
                *(WebhookForged, WebhookForeign, NotConfigured, StillUnderWay),
                *(UpstreamError, UpstreamTimeout),
            ),
        ),
    },
    {envelope: [ErrorShape((ChatproxyError,), answers.Error)]},
)
