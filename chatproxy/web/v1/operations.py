"""What `/v1` takes and answers, for the OpenAPI document."""

from chatproxy.errors import (
    CallerError,
    NotConfigured,
    NotFound,
    UpstreamBusy,
    UpstreamError,
    UpstreamTimeout,
)
from chatproxy.openapi.failures import DIRECTORY, LIMITS, Errors
from chatproxy.openapi.operation import Answer, Operation, Parameter
from chatproxy.providers import SETTINGS
from chatproxy.web.v1 import answers
from chatproxy.web.v1.schemas import TokensBody

ONE, *OTHERS, LAST = SETTINGS
AT_ONCE = {
    "status": "ended",
    "revokedBefore": "2026-11-27T09:00:01.000Z",
    "newTokensFrom": "2026-11-27T09:00:06.000Z",
}
NO_STORE = {"Cache-Control": "`no-store`: the answer holds a token, or is about a person."}
ID = {"type": "string", "minLength": 1, "maxLength": 255}

#: What can go wrong at one of the providers.
ASKING: Errors = (UpstreamError, UpstreamBusy, UpstreamTimeout, NotConfigured, *DIRECTORY)
FAILED = (
    "Where one provider fails the status is not 2xx, and the body says the same of each provider "
    "beside `errorMsg`: what others did is done."
)

OPERATIONS = {
    "v1.give": Operation(
        "Give one person a token of each provider",
        {
            200: Answer(
                "Each provider gave one.",
                answers.Tokens,
                {
                    "userId": "alice",
                    "complete": True,
                    "providers": {
                        ONE: {
                            "status": "issued",
                            "token": "eyJ…",
                            "expiresAt": None,
                            "connect": {"apiKey": "<your API key>", "baseUrl": "https://…"},
                        }
                    },
                },
                headers=NO_STORE,
            ),
            207: Answer(
                "Some gave one. Others cannot: the id is none of theirs, or the caller may not "
                "use them. Asking again is of no use.",
                answers.Tokens,
                headers=NO_STORE,
            ),
        },
        FAILED,
        body=TokensBody,
        example={"userId": "alice", "name": "Alice", "providers": [ONE]},
        errors=(CallerError, *LIMITS, *ASKING),
    ),
    "v1.end": Operation(
        "End all tokens of one person, at each provider",
        {
            200: Answer(
                "Each provider has ended them, or has nobody with this id.",
                answers.Ended,
                {
                    "userId": "alice",
                    "complete": True,
                    "providers": {
                        ONE: AT_ONCE,
                        **dict.fromkeys(OTHERS, {"status": "ended"}),
                        LAST: {"status": "unknown", "reason": "…"},
                    },
                },
                headers=NO_STORE,
            ),
            207: Answer(
                "Nothing failed, but some tokens stay: a provider has no way to end them. "
                "`validUntil` says how long they may be good.",
                answers.Ended,
                {
                    "userId": "6",
                    "complete": False,
                    "providers": {
                        ONE: AT_ONCE,
                        LAST: {
                            "status": "notEnded",
                            "reason": "…",
                            "validUntil": "2026-11-27T16:00:00.000Z",
                        },
                    },
                },
                headers=NO_STORE,
            ),
        },
        FAILED,
        path={"userId": Parameter("Whose tokens they are.", "alice", ID)},
        errors=(CallerError, NotFound, *ASKING),
    ),
    "v1.show": Operation(
        "Who somebody is, in the directory and at each provider",
        {200: Answer("What is known.", answers.Known, headers=NO_STORE)},
        FAILED,
        path={"userId": Parameter("Who is asked about.", "alice", ID)},
        errors=(CallerError, NotFound, *ASKING),
    ),
}
