"""What IMKit's endpoints take and answer, for the OpenAPI document."""

from typing import Any

from marshmallow import Schema, fields

from chatproxy.errors import (
    CallerError,
    ChatproxyError,
    Conflict,
    Forbidden,
    NoRoom,
    NotConfigured,
    NotFound,
    NotServed,
    TokenRejected,
    WrongMethod,
)
from chatproxy.openapi.failures import CREDENTIAL, DIRECTORY, LIMITS, TELLING
from chatproxy.openapi.operation import Answer, ErrorShape, Operation, Parameter, Surface
from chatproxy.providers.imkit.endpoints import answers, badgequery, clientquery, schemas
from chatproxy.providers.imkit.endpoints.me import LONGEST_TAG
from chatproxy.providers.imkit.errors import (
    ClientNotFound,
    InvalidAPIKey,
    InvalidClientKey,
    InvalidRoomTags,
    MissingAPIKey,
    MissingClientKey,
    MissingParameter,
    PermissionDenied,
    TokenNotFound,
    error_envelope,
)
from chatproxy.web.operations import ANYWHERE, BELOW, ORIGIN

NO_STORE = {"Cache-Control": "`no-store`."}
PLATFORM = ({"imkitKey": ()}, {"imkitKeyDeprecated": ()})
CLIENT = (
    {"imkitClientKey": (), "imkitToken": ()},
    {"imkitClientKeyDeprecated": (), "imkitToken": ()},
)
EITHER = (*PLATFORM, *CLIENT)

NO_NUL = r"^[^\u0000]*$"
TIME = "2026-11-27T12:00:00.000Z"
ALICE: dict[str, Any] = {
    "_id": "alice",
    "id": "alice",
    "nickname": "Alice",
    "appID": "default",
    "createdAt": TIME,
    "updatedAt": TIME,
    "lastLoginTimeMS": 1795780800000,
}
CAROL = ALICE | {"_id": "carol", "id": "carol", "nickname": "Carol"}
ISSUED = {"token": "it_…", "expirationDate": TIME}
BADGE = {"clientId": "alice", "total": 3, "badge": 0, "imkit": 3}

CLIENT_ID = Parameter("The client.", "alice", {"type": "string", "minLength": 1, "maxLength": 255})
ON_BEHALF = {
    "IM-CLIENT-ID": Parameter("Which client a platform means. A client's own call needs none.")
}

BY_PLATFORM = (*CREDENTIAL, InvalidAPIKey, MissingAPIKey, PermissionDenied, InvalidClientKey)
BY_CLIENT = (*CREDENTIAL, TokenRejected, MissingClientKey, InvalidClientKey, CallerError)
BY_EITHER = (*BY_CLIENT, *BY_PLATFORM)
CHANGES = (*DIRECTORY, *TELLING)


class ClientsQuery(clientquery.PageQuery):
    """Which clients are listed."""

    q = fields.String(
        metadata={
            "description": "A small part of MongoDB's filters, as JSON: fields of `_id`, "
            '`nickname`, `avatarUrl`, `email`, each a text, `{"$in": […]}` or '
            '`{"$regex": "plain text"}` with `^` and `"$options": "i"`.'
        }
    )


class TagsQuery(Schema):
    """Whose rooms count."""

    room_tags = fields.List(
        fields.String(metadata={"minLength": 1, "maxLength": LONGEST_TAG}),
        data_key="roomTags",
        metadata={"description": "Needs an IMKit server."},
    )


class BadgesQuery(Schema):
    """Which clients are asked for."""

    client_ids = fields.List(
        fields.String(metadata={"minLength": 1, "maxLength": 255, "pattern": NO_NUL}),
        data_key="clientId",
    )


def _success(result: Any) -> dict[str, Any]:
    return {"RC": 0, "RM": "OK", "result": result}


#: One of the three: a new token, one of yours, none.
NEW_CLIENT = {
    "allOf": [schemas.NewClientBody],
    "if": {"properties": {"issueAccessToken": {"const": True}}, "required": ["issueAccessToken"]},
    "then": {"not": {"anyOf": [{"required": ["token"]}, {"required": ["expirationDate"]}]}},
    "dependentRequired": {"expirationDate": ["token"]},
}

SOCKET = Operation(
    "The socket",
    {101: Answer("The connection is a WebSocket from now on.")},
    "Socket.IO by WebSocket alone: a GET with `Upgrade` and `?transport=websocket&EIO=4`. Anything "
    "else is 400, and what lies below is 404. Its `auth` event takes the token. With "
    "`IMKIT_SOCKET=relay` it is a tunnel to the IMKit server, which takes polling as well.",
    path={"path": BELOW},
    errors=(CallerError, Forbidden, NotServed, NotConfigured, NotFound, *LIMITS),
)

SURFACE = Surface(
    "IMKit",
    "Clients and their tokens, profiles, badges, and calls to an IMKit server.",
    {
        "imkit-clients.put": Operation(
            "Create or update a client",
            {
                200: Answer(
                    "The client, and its token where it got one.",
                    answers.IssuedClient,
                    _success(CAROL | ISSUED),
                    headers=NO_STORE,
                )
            },
            "With a new token (`issueAccessToken`), with one of yours (`token`), or with neither, "
            "which leaves its tokens as they are.",
            body=NEW_CLIENT,
            example={"_id": "carol", "nickname": "Carol", "issueAccessToken": True},
            errors=(*BY_PLATFORM, *CHANGES, CallerError, Conflict, ClientNotFound),
            security=PLATFORM,
        ),
        "imkit-clients.put_many": Operation(
            "Create or update up to 100 clients",
            {200: Answer("All were.", answers.Count, _success({"count": 1}), headers=NO_STORE)},
            "All or none of them.",
            body=schemas.ClientsBody,
            example={"data": [{"_id": "alice", "nickname": "Alice"}]},
            errors=(*BY_PLATFORM, *CHANGES),
            security=PLATFORM,
        ),
        "imkit-clients.show_all": Operation(
            "The clients that match",
            {
                200: Answer(
                    "Some of them, and how many there are.",
                    answers.Clients,
                    _success({"totalCount": 1, "data": [ALICE | {"devices": []}]}),
                    headers=NO_STORE,
                )
            },
            query=ClientsQuery,
            asked={"limit": 50, "skip": 0, "q": '{"_id": "alice"}'},
            errors=(*BY_PLATFORM, CallerError),
            security=PLATFORM,
        ),
        "imkit-clients.put_token": Operation(
            "Bind a token of yours to a client",
            {
                200: Answer(
                    "The client and its token.",
                    answers.BoundClient,
                    _success(ALICE | {"client": "alice", "token": "…", "expirationDate": TIME}),
                    headers=NO_STORE,
                )
            },
            path={"clientId": CLIENT_ID},
            body=schemas.TokenBody,
            example={"token": "a-random-token-of-yours-0123456789"},
            errors=(*BY_PLATFORM, *CHANGES, CallerError, Conflict, ClientNotFound),
            security=PLATFORM,
        ),
        "imkit-clients.delete_token": Operation(
            "End tokens of a client",
            {
                200: Answer(
                    "How many ended.",
                    answers.Revoked,
                    _success({"success": True, "message": "Tokens revoked", "revokedTokens": 2}),
                    headers=NO_STORE,
                )
            },
            "The one in the body, or all where the body names none.",
            path={"clientId": CLIENT_ID},
            body=schemas.RevocationBody,
            body_is_required=False,
            example={},
            errors=(*BY_PLATFORM, *CHANGES, ClientNotFound, TokenNotFound),
            security=PLATFORM,
        ),
        "imkit-me.show": Operation(
            "The client's own profile",
            {200: Answer("The client.", answers.Client, _success(ALICE), headers=NO_STORE)},
            headers=ON_BEHALF,
            errors=(*BY_EITHER, MissingParameter, ClientNotFound),
            security=EITHER,
        ),
        "imkit-me.change": Operation(
            "Change the client's own profile",
            {200: Answer("The client.", answers.Client, _success(ALICE), headers=NO_STORE)},
            headers=ON_BEHALF,
            body=schemas.ProfileFields,
            example={"nickname": "Alice"},
            errors=(*BY_EITHER, *CHANGES, MissingParameter, ClientNotFound),
            security=EITHER,
        ),
        "imkit-me-badge.badge": Operation(
            "How much is unread",
            {
                200: Answer(
                    "The number, or what the IMKit server answers.",
                    {"anyOf": [answers.Unread, {}]},
                    _success({"badge": 0}),
                )
            },
            "Forwarded where there is an IMKit server, else the total of the badges kept here.",
            headers=ON_BEHALF,
            query=TagsQuery,
            errors=(*BY_EITHER, MissingParameter, ClientNotFound, InvalidRoomTags),
            security=EITHER,
            forwarded=True,
        ),
        "imkit-verify.verify": Operation(
            "Whose token is this?",
            {
                200: Answer(
                    "The client's.",
                    answers.Owner,
                    {"id": "alice", "nickname": "Alice"},
                    headers=NO_STORE,
                )
            },
            "What an IMKit server asks about a token that it does not know.",
            body=schemas.VerificationBody,
            example={"token": "it_…"},
            errors=(*DIRECTORY, *LIMITS, TokenRejected),
        ),
        "imkit-badge.show_all": Operation(
            "The badges of several clients",
            {
                200: Answer(
                    "Those of the clients that are named, in their order, else the first 1,000.",
                    {"type": "array", "items": answers.BADGE},
                    [BADGE],
                    headers=NO_STORE,
                )
            },
            query=BadgesQuery,
            asked={"clientId": ["alice"]},
            errors=DIRECTORY,
        ),
        "imkit-badge.show_some": Operation(
            "The badges of the clients that the body lists",
            {
                200: Answer(
                    "In their order.",
                    {"type": "array", "items": answers.BADGE},
                    [BADGE],
                    headers=NO_STORE,
                )
            },
            body={
                "type": "array",
                "items": {
                    "type": "string",
                    "minLength": 1,
                    "maxLength": 255,
                    "pattern": NO_NUL,
                },
                "maxItems": badgequery.MOST_ASKED,
            },
            example=["alice"],
            errors=DIRECTORY,
        ),
        "imkit-badge.show": Operation(
            "The badge of one client",
            {
                200: Answer(
                    "Its counts; of a client that is not known zeros.",
                    answers.BADGE,
                    BADGE,
                    headers=NO_STORE,
                )
            },
            path={"clientId": CLIENT_ID},
            errors=(*DIRECTORY, NotFound),
        ),
        "imkit-badge.change": Operation(
            "Set the count of one source",
            {200: Answer("The badge.", answers.BADGE, BADGE, headers=NO_STORE)},
            path={"clientId": CLIENT_ID},
            body=badgequery.CountBody,
            example={"source": "imkit", "count": 3},
            errors=(*DIRECTORY, NotFound, NoRoom),
        ),
        "imkit-forwarded.forwarded": Operation(
            "Forward a call",
            {},
            "A platform's goes with the real platform key, a client's with the real client key, "
            "its token and its id. Below `/admin` only a platform's is.",
            path={"path": BELOW},
            errors=(*BY_EITHER, NotFound),
            security=EITHER,
            forwarded=True,
        ),
        "imkit-preflight.allow": Operation(
            "A browser's preflight request",
            {204: Answer("A page of this origin may call.")},
            path={"path": ANYWHERE},
            headers={"Origin": ORIGIN},
            errors=(WrongMethod, PermissionDenied, NotFound),
        ),
        "imkit-socket.socket": SOCKET,
    },
    {error_envelope: [ErrorShape((ChatproxyError,), answers.Error)]},
    {
        "imkitKey": {
            "type": "apiKey",
            "in": "header",
            "name": "IM-API-KEY",
            "description": "A platform key of this sidecar.",
        },
        "imkitKeyDeprecated": {
            "type": "apiKey",
            "in": "header",
            "name": "API_KEY",
            "description": "Deprecated: `IM-API-KEY`.",
        },
        "imkitClientKey": {
            "type": "apiKey",
            "in": "header",
            "name": "IM-Client-Key",
            "description": "A client key of this sidecar. It is public.",
        },
        "imkitClientKeyDeprecated": {
            "type": "apiKey",
            "in": "header",
            "name": "CLIENT_KEY",
            "description": "Deprecated: `IM-Client-Key`.",
        },
        "imkitToken": {
            "type": "apiKey",
            "in": "header",
            "name": "IM-Authorization",
            "description": "A client's token. Where it is absent, `Authorization` counts.",
        },
    },
)
