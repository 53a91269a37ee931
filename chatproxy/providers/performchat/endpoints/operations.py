"""What PerformChat's endpoints take and answer, for the OpenAPI document."""

from typing import Any

from marshmallow import Schema, fields

from chatproxy.errors import CallerError, ChatproxyError, NotFound, TokenRejected
from chatproxy.openapi.failures import CREDENTIAL
from chatproxy.openapi.operation import Answer, ErrorShape, Operation, Parameter, Surface
from chatproxy.providers.performchat.endpoints import answers, schemas
from chatproxy.providers.performchat.endpoints.paging import PageQuery
from chatproxy.providers.performchat.errors import envelope

NO_STORE = {"Cache-Control": "`no-store`."}
COUNTED = NO_STORE | {
    "X-RateLimit-Limit": "Calls in the window.",
    "X-RateLimit-Remaining": "Calls that are left in the window.",
    "X-RateLimit-Reset": "When the window ends, in epoch seconds.",
}

#: The key is in the body: OpenAPI has no security scheme for that.
KEY = {"keyId": "pk_…", "keySecret": "sk_…"}


class Key(Schema):
    """The two halves of an API key of this sidecar."""

    key_id = fields.String(data_key="keyId", required=True)
    key_secret = fields.String(data_key="keySecret", required=True)


class TokenRequest(Key, schemas.TokenBody):
    """Whom a token is for."""


class InvalidationRequest(Key, schemas.InvalidationBody):
    """Whose tokens are invalidated."""


class UsersRequest(Key, schemas.FilterBody):
    """Which users are listed: those that match each value as a whole."""


class ChangeRequest(Key, schemas.ChangeBody):
    """What is changed. What is absent or null stays as it is."""


class PresentedToken(Schema):
    """The token, where it is not in `Authorization`."""

    token = fields.String(allow_none=True)


TIME = "2026-11-27T12:00:00.000Z"
TOKEN_USER = {
    "id": "cu_…",
    "externalId": "user_123",
    "companyId": "default",
    "agentId": "agent_abc",
}
TOKEN_AGENT = {"id": "agent_abc", "name": "Support Agent", "active": True}
AGENT = TOKEN_AGENT | {"created_at": TIME, "updated_at": TIME}
USER: dict[str, Any] = {
    "id": "cu_…",
    "external_id": "user_123",
    "name": None,
    "email": None,
    "metadata": {},
    "active": True,
    "created_at": TIME,
    "last_seen_at": TIME,
}
ONE_PAGE = {"page": 1, "limit": 20, "total": 1, "total_pages": 1}

SURFACE = Surface(
    "PerformChat",
    "Tokens, agents and users of a company, and calls to PerformChat's REST API.",
    {
        "performchat-tokens.issue": Operation(
            "Issue a token for a user and an agent",
            {
                200: Answer(
                    "The token.",
                    answers.Token,
                    {
                        "token": "eyJ…",
                        "user": TOKEN_USER,
                        "customerUser": TOKEN_USER,
                        "agent": TOKEN_AGENT,
                        "apiKey": {"id": "pk_…", "name": "my-backend", "environment": "production"},
                    },
                    headers=COUNTED,
                )
            },
            "The user is made where it is not known. Without `agentId` the oldest active agent is "
            "taken. Fields are checked before the key, the key before the limit.",
            body=TokenRequest,
            example=KEY | {"userId": "user_123", "agentId": "agent_abc", "expiresIn": "24h"},
            errors=(*CREDENTIAL, CallerError),
        ),
        "performchat-invalidation.invalidate": Operation(
            "Invalidate all tokens of a user",
            {
                200: Answer(
                    "They are invalid.",
                    answers.Invalidation,
                    {
                        "message": "All tokens invalidated successfully",
                        "customerUserId": "cu_…",
                        "newTokenVersion": 2,
                    },
                    headers=NO_STORE,
                )
            },
            body=InvalidationRequest,
            example=KEY | {"customerUserId": "cu_…"},
            errors=(*CREDENTIAL, CallerError),
        ),
        "performchat-verification.verify": Operation(
            "Is a token valid?",
            {
                200: Answer(
                    "It is, and this is what it says.",
                    answers.Claims,
                    {
                        "sub": "cu_…",
                        "externalId": "user_123",
                        "companyId": "default",
                        "agentId": "agent_abc",
                        "tokenVersion": 1,
                        "iat": 1795780800,
                        "exp": 1795867200,
                        "jti": "…",
                    },
                    headers=NO_STORE,
                )
            },
            "The token may be in the body too; where both are given they have to be equal.",
            body=PresentedToken,
            body_is_required=False,
            errors=(*CREDENTIAL, TokenRejected, CallerError),
            security=({"performchatToken": ()},),
        ),
        "performchat-agents.show_all": Operation(
            "The agents of the company",
            {
                200: Answer(
                    "A page of them.",
                    answers.Agents,
                    {"data": [AGENT], "pagination": ONE_PAGE},
                    headers=NO_STORE,
                )
            },
            query=PageQuery,
            asked={"page": 1, "limit": 20},
            body=Key,
            example=KEY,
            errors=CREDENTIAL,
        ),
        "performchat-agent.show": Operation(
            "An agent",
            {
                200: Answer(
                    "The agent.",
                    answers.SingleAgent,
                    AGENT | {"prompt_template": None},
                    headers=NO_STORE,
                )
            },
            path={"agentId": Parameter("Its id.", "agent_abc")},
            body=Key,
            example=KEY,
            errors=(*CREDENTIAL, NotFound),
        ),
        "performchat-customers.show_all": Operation(
            "The users of the company",
            {
                200: Answer(
                    "A page of them.",
                    answers.Users,
                    {"data": [USER], "pagination": ONE_PAGE},
                    headers=NO_STORE,
                )
            },
            query=PageQuery,
            asked={"page": 1, "limit": 20},
            body=UsersRequest,
            example=KEY | {"external_id": "user_123"},
            errors=CREDENTIAL,
        ),
        "performchat-customer.change": Operation(
            "Change a user",
            {
                200: Answer(
                    "The user as it is now.",
                    answers.ChangedUser,
                    USER | {"name": "Alice", "updated_at": TIME},
                    headers=NO_STORE,
                )
            },
            "`metadata` is merged, name by name.",
            path={"userId": Parameter("The internal id, as the answer to a token has it.", "cu_…")},
            body=ChangeRequest,
            example=KEY | {"name": "Alice"},
            errors=(*CREDENTIAL, NotFound),
        ),
    },
    {envelope: [ErrorShape((ChatproxyError,), answers.Error)]},
    {
        "performchatToken": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A user's token.",
        }
    },
)
