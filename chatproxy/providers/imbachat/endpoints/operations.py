"""What ImbaChat's endpoints take and answer, for the OpenAPI document."""

from typing import Any

from chatproxy.errors import CallerError, ChatproxyError
from chatproxy.openapi.failures import CREDENTIAL
from chatproxy.openapi.operation import Answer, ErrorShape, Operation, Parameter, Surface
from chatproxy.providers.imbachat.endpoints import answers
from chatproxy.providers.imbachat.endpoints.users import LISTS
from chatproxy.providers.imbachat.endpoints.widget import WidgetQuery
from chatproxy.providers.imbachat.endpoints.wordpress import NO_FRIENDS
from chatproxy.providers.imbachat.errors import VERSION, envelope
from chatproxy.providers.imbachat.userids import LARGEST, USER_ID

NO_STORE = {"Cache-Control": "`no-store`."}
LOGIN = ({"imbachatLogin": ()}, {"imbachatToken": ()})

USER = Parameter(
    f"The user: a whole number from 1 to {LARGEST}, in ASCII digits.",
    "6",
    {"type": "string", "pattern": f"^{USER_ID.pattern}$"},
)


ISSUED: dict[str, Any] = {"user_id": 6, "token": "eyJ…", "user_key": "eyJ…"}
JOHN = {"user_id": 6, "name": "John", "avatar_url": "https://shop.example/6.png", "badge": "vip"}

USERS = Operation(
    "The users with these ids",
    {
        200: Answer(
            "Those that are known, in the order of the ids; with `str` the first who was found.",
            {"oneOf": [{"type": "array", "items": answers.User}, answers.FirstHit]},
            [JOHN],
            headers=NO_STORE,
        )
    },
    f"Ids are taken from the path and from `{'` and `'.join(LISTS)}` in the query. What is no id "
    "is left out.",
    query=answers.IdsQuery,
    asked={"ids": "6"},
    path={"ids": Parameter("Ids with commas between them.", "6")},
    errors=(CallerError, *CREDENTIAL),
    security=LOGIN,
)


def _search(of: str, description: str) -> Operation:
    return Operation(
        f"Search for users, as {of} does",
        {
            200: Answer(
                "Those whose name or id contains the text.",
                {"type": "array", "items": answers.Named},
                [{"user_id": 6, "name": "John"}],
                headers=NO_STORE,
            )
        },
        description,
        path={"text": Parameter("The text, in upper or lower case.", "jo")},
        errors=CREDENTIAL,
        security=LOGIN,
    )


SURFACE = Surface(
    "ImbaChat",
    "What imbachat.com asks a site, the widget's token and options, and calls to imbachat.com.",
    {
        "imbachat-users.info": USERS,
        "imbachat-users.search": Operation(
            "Search for users",
            {
                200: Answer(
                    "Those whose name or id contains the text.",
                    answers.Hits,
                    {
                        "code": 200,
                        "version": VERSION,
                        "data": [{"user_id": 6, "name": "John", "email": ""}],
                    },
                    headers=NO_STORE,
                )
            },
            path={"key": Parameter("The text, in upper or lower case.", "jo")},
            errors=CREDENTIAL,
            security=LOGIN,
        ),
        "imbachat-wordpress.search": _search(
            "the plugin for WordPress", "In the text `_` is a space. A body is not read."
        ),
        "imbachat-wordpress.plain_search": _search("the plugin for LiveStreet", ""),
        "imbachat-wordpress.friends": Operation(
            "The friends of a user",
            {
                200: Answer(
                    "Users info of each; an error without `IMBACHAT_FRIENDS`.",
                    {"oneOf": [{"type": "array", "items": answers.User}, answers.Error]},
                    NO_FRIENDS,
                    headers=NO_STORE,
                )
            },
            path={"userId": Parameter("The user.", "7")},
            errors=CREDENTIAL,
            security=LOGIN,
        ),
        "imbachat-version.version": Operation(
            "The version of the interface",
            {
                200: Answer(
                    "The version.", answers.Version, {"version": VERSION, "type": "chatproxy"}
                )
            },
        ),
        "imbachat-widget.token": Operation(
            "Issue a token",
            {
                200: Answer(
                    "The token.", answers.Token, ISSUED | {"expiresIn": 25200}, headers=NO_STORE
                )
            },
            "The user need not exist. A token cannot be revoked.",
            path={"userId": USER},
            errors=(CallerError,),
        ),
        "imbachat-widget.widget": Operation(
            "The options that load the widget, or the HTML that does so",
            {
                200: Answer(
                    "With `format=html` the HTML for a page of yours.",
                    answers.Widget,
                    ISSUED | {"scriptUrl": "https://imbachat.com/imbachat/v1/7/widget"},
                    headers=NO_STORE,
                    also={"text/html": {"schema": {"type": "string"}}},
                )
            },
            path={"userId": USER},
            query=WidgetQuery,
            errors=(CallerError,),
        ),
    },
    {envelope: [ErrorShape((ChatproxyError,), answers.Error)]},
    {
        "imbachatLogin": {
            "type": "http",
            "scheme": "basic",
            "description": "`IMBACHAT_API_LOGIN` and `IMBACHAT_API_PASSWORD`.",
        },
        "imbachatToken": {
            "type": "apiKey",
            "in": "query",
            "name": "jwt_token",
            "description": "A JWT that these two signed by HS256, with a colon between them.",
        },
    },
)
