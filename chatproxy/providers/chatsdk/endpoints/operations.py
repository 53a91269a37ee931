"""What ChatSDK's endpoints take and answer, for the OpenAPI document."""

from chatproxy.errors import (
    ChatproxyError,
    Forbidden,
    InvalidBody,
    LimiterUnavailable,
    NotFound,
    NotServed,
    TokenRejected,
    TooManyRequests,
    Unauthenticated,
    UpstreamError,
    WrongMethod,
)
from chatproxy.openapi.failures import CREDENTIAL
from chatproxy.openapi.operation import Answer, ErrorShape, Operation, Parameter, Surface
from chatproxy.providers.chatsdk import errors
from chatproxy.providers.chatsdk.endpoints import answers
from chatproxy.providers.chatsdk.endpoints.schemas import (
    ConnectionBody,
    RenewalBody,
    RevocationBody,
)
from chatproxy.web.operations import ANYWHERE, BELOW, ORIGIN
from chatproxy.web.user_schema import UserSchema

NO_STORE = {"Cache-Control": "`no-store`."}
COUNTED = NO_STORE | {
    "X-RateLimit-Limit": "Calls in the window.",
    "X-RateLimit-Remaining": "Calls that are left in the window.",
    "X-RateLimit-Reset": "When the window ends, in epoch seconds.",
}

KEY = ({"chatsdkKey": ()},)
TOKEN = ({"chatsdkToken": ()},)
SOCKET_TOKEN = ({"chatsdkWsToken": ()},)
REFRESH_TOKEN = ({"chatsdkRefreshToken": ()},)
KEY_OR_TOKEN = (*KEY, *TOKEN)

USER = Parameter(
    "The user.", "alice", {"type": "string", "minLength": 1, "pattern": r"^[^\u0000/.]+$"}
)
ALICE = {"id": "alice", "name": "Alice"}
PAIR = {"token": "eyJ…", "wsToken": "eyJ…", "expiresIn": 86400}
RENEWED = {
    "token": "eyJ…",
    "refreshToken": "eyJ…",
    "expiresIn": 86400,
    "_internal": {"wsToken": "eyJ…"},
}
CONNECTED = RENEWED | {
    "user": {"id": "alice", "displayName": "Alice", "avatar": None, "metadata": {}}
}
PAYLOAD = {
    "userId": "alice",
    "appId": "default",
    "issuedAt": "2026-11-27T12:00:00.000Z",
    "expiresAt": "2026-11-28T12:00:00.000Z",
}
ONE_LIMIT = (
    ErrorShape((TooManyRequests,), answers.TooMany),
    ErrorShape((InvalidBody,), answers.BodyError),
    ErrorShape((LimiterUnavailable,), answers.ApiError),
)
REJECTED = (*CREDENTIAL, TokenRejected)

NO_SOCKET = Operation(
    "Where clients connect",
    {},
    "WebSockets are not proxied. The answer is always 501, and names the address.",
    path={"path": BELOW},
    errors=(NotServed,),
)

SURFACE = Surface(
    "ChatSDK",
    "Tokens for REST and WebSocket, users, and calls to a ChatSDK server.",
    {
        "chatsdk-tokens.issue": Operation(
            "Issue both tokens for a user",
            {
                200: Answer(
                    "The tokens.", answers.IssuedTokens, PAIR | {"user": ALICE}, headers=COUNTED
                )
            },
            "The user is made, or changed where something is new. The body is checked before the "
            "key, the key before the limit.",
            body=UserSchema,
            example={"userId": "alice", "name": "Alice"},
            errors=CREDENTIAL,
            security=KEY,
        ),
        "chatsdk-exchange.refresh": Operation(
            "Exchange a token for new ones",
            {200: Answer("The tokens.", answers.Tokens, PAIR, headers=COUNTED)},
            "A token is good for this until `CHATSDK_REFRESH_GRACE` after its end.",
            errors=REJECTED,
            security=TOKEN,
        ),
        "chatsdk-connecting.connect": Operation(
            "Connect a user",
            {200: Answer("The tokens.", answers.Connected, CONNECTED, headers=COUNTED)},
            "As `ChatSDK.connect` of the vendor's client asks with an API key, on a server. The "
            "user is the one that the body names, as at `/tokens`, which shares the limit.",
            body=ConnectionBody,
            example={"userId": "alice", "displayName": "Alice"},
            errors=CREDENTIAL,
            security=KEY,
        ),
        "chatsdk-renewal.renew": Operation(
            "Get new tokens for a refresh token",
            {200: Answer("The tokens.", answers.Renewed, RENEWED, headers=COUNTED)},
            "It comes as Bearer, or in the body, as the vendor's `TokenManager` sends it. A second "
            "use ends all tokens that come from it. A `token` of `/tokens` is taken too.",
            body=RenewalBody,
            body_is_required=False,
            errors=REJECTED,
            security=REFRESH_TOKEN,
        ),
        "chatsdk-validation.validate": Operation(
            "Is a `token` valid?",
            {
                200: Answer(
                    "It is.",
                    answers.ValidToken,
                    {"valid": True, "payload": PAYLOAD, "user": ALICE | {"image": None}},
                    headers=NO_STORE,
                )
            },
            errors=REJECTED,
            security=TOKEN,
        ),
        "chatsdk-websocket-validation.validate_websocket": Operation(
            "Is a `wsToken` valid?",
            {
                200: Answer(
                    "It is.",
                    answers.ValidSocketToken,
                    {"valid": True, "payload": PAYLOAD},
                    headers=NO_STORE,
                )
            },
            errors=REJECTED,
            security=SOCKET_TOKEN,
        ),
        "chatsdk-ensuring.ensure": Operation(
            "Create or update a user",
            {
                200: Answer("The user was there.", answers.Ensured, headers=NO_STORE),
                201: Answer(
                    "The user is new.",
                    answers.Ensured,
                    {
                        "action": "created",
                        "created": True,
                        "updated": False,
                        "user": {"id": "bob", "name": "Bob", "custom": {}},
                    },
                    headers=NO_STORE,
                ),
            },
            body=UserSchema,
            example={"userId": "bob", "name": "Bob"},
            errors=CREDENTIAL,
            security=KEY,
        ),
        "chatsdk-revocation.revoke": Operation(
            "Revoke all tokens of a user",
            {
                200: Answer(
                    "They are revoked.",
                    answers.Revoked,
                    {"success": True, "revokedUserId": "alice"},
                    headers=NO_STORE,
                )
            },
            "Those that the user has now, and the user's WebSockets are closed. 502 where "
            "Centrifugo could not be told; the tokens are revoked all the same.",
            path={"userId": USER},
            body=RevocationBody,
            body_is_required=False,
            example={"reason": "left the company"},
            errors=(*CREDENTIAL, NotFound, UpstreamError),
            security=KEY,
        ),
        "chatsdk-user.show": Operation(
            "A user",
            {
                200: Answer(
                    "The user. For a client, what the ChatSDK server answers.",
                    {"anyOf": [answers.Found, {}]},
                    {"user": ALICE | {"custom": {}}},
                )
            },
            "With a key it is answered here. Without one it is a client's call, and forwarded.",
            path={"userId": USER},
            errors=(*REJECTED, NotFound),
            security=KEY_OR_TOKEN,
            forwarded=True,
        ),
        "chatsdk-user.delete": Operation(
            "Delete a user",
            {
                200: Answer(
                    "Name, picture, email and metadata are gone, and all tokens are revoked.",
                    answers.Deleted,
                    {"success": True, "anonymizedUserId": "alice"},
                    headers=NO_STORE,
                )
            },
            path={"userId": USER},
            errors=(*REJECTED, NotFound, UpstreamError),
            security=KEY,
        ),
        "chatsdk-api.forwarded": Operation(
            "Forward a client's call",
            {},
            "The token is checked here, then the call goes on with the real key. What the server "
            "does for a key alone is 403.",
            path={"path": BELOW},
            errors=(*REJECTED, Forbidden, NotFound),
            security=TOKEN,
            forwarded=True,
        ),
        "chatsdk-preflight.allow": Operation(
            "A browser's preflight request",
            {204: Answer("A page of this origin may call.")},
            path={"path": ANYWHERE},
            headers={"Origin": ORIGIN},
            errors=(WrongMethod,),
        ),
        "chatsdk-websocket.websocket": NO_SOCKET,
    },
    {
        errors.token_envelope: [*ONE_LIMIT, ErrorShape((ChatproxyError,), answers.TokenError)],
        errors.validation_envelope: [
            *ONE_LIMIT,
            ErrorShape((Unauthenticated,), answers.RejectedToken),
            ErrorShape((ChatproxyError,), answers.ValidationError),
        ],
        errors.connect_envelope: [
            *ONE_LIMIT,
            ErrorShape((Unauthenticated,), answers.RefusedCredential),
            ErrorShape((ChatproxyError,), answers.ConnectingError),
        ],
        errors.refresh_envelope: [
            *ONE_LIMIT,
            ErrorShape((Unauthenticated,), answers.RefusedCredential),
            ErrorShape((ChatproxyError,), answers.RenewalError),
        ],
        errors.api_envelope: [*ONE_LIMIT, ErrorShape((ChatproxyError,), answers.ApiError)],
    },
    {
        "chatsdkKey": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": "A platform key of this sidecar, as `chatproxy keys create` shows it.",
        },
        "chatsdkToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A user's `token`.",
        },
        "chatsdkRefreshToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A user's `refreshToken`.",
        },
        "chatsdkWsToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A user's `wsToken`.",
        },
    },
)
