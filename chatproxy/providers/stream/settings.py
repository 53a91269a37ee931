"""Stream's settings. The names are those of the reference service, where it has one."""

import dataclasses
import re
from collections.abc import Iterator
from typing import ClassVar

from chatproxy.formats.compact_jwt import SHORTEST_SAFE_KEY, is_compact_jwt
from chatproxy.providers.stream import client_config
from chatproxy.providers.stream.permissions import document
from chatproxy.settings.fields import (
    BaseURL,
    FilePath,
    OneOf,
    Port,
    Text,
    TextList,
    WholeNumber,
    is_visible_ascii,
)
from chatproxy.settings.files import MountedFile
from chatproxy.settings.published import is_local
from chatproxy.settings.variables import ProviderSection, variable

#: The credentials of the local stand-in. They are public.
STAND_IN_KEY = "sandbox-key"
STAND_IN_SECRET = "sandbox-secret-of-the-stand-in-not-for-production"  # noqa: S105

API_KEY = re.compile(r"[A-Za-z0-9._~-]+")


@dataclasses.dataclass(frozen=True)
class StreamSettings(ProviderSection):
    """Settings of Stream."""

    knows_users: ClassVar[bool] = False
    on_by_default: ClassVar[bool] = True
    published: ClassVar[frozenset[str]] = frozenset({STAND_IN_KEY, STAND_IN_SECRET})
    endpoints: ClassVar[tuple[str, ...]] = (
        "GET /api-key",
        "GET /config",
        "GET /token/<user_id>",
        "POST /guest",
        "POST /users/<user_id>/revoke-tokens",
        "POST /webhook/stream",
        "POST /webhook/verify",
    )
    user_parameters: ClassVar[tuple[str, ...]] = ("user_id",)
    user_objects: ClassVar[tuple[str, ...]] = ("payload",)
    permissions_document: ClassVar[str] = "PERMISSIONS_CONFIG"
    tokens_stay: ClassVar[str] = (
        "Stream alone checks them. End them there: `chatproxy token revoke --provider stream`, "
        "which sets `revoke_tokens_issued_before`"
    )

    api_key: str = variable(
        "STREAM_API_KEY",
        Text(
            lambda text: API_KEY.fullmatch(text) is not None,
            "the API key of your Stream application, from its dashboard",
        ),
        meaning="Stream application's key. Goes into every forwarded call and to clients.",
        secret=True,
    )
    api_secrets: tuple[str, ...] = variable(
        "STREAM_API_SECRET",
        TextList("the API secret of your Stream application, from its dashboard", is_visible_ascii),
        meaning="Stream application's secret. A comma list while it is rotated: the first "
        "signs, all verify.",
        secret=True,
    )
    auth_token: str | None = variable(
        "STREAM_AUTH_TOKEN",
        Text(is_compact_jwt, "a server token: three base64url parts with dots between them"),
        default=None,
        meaning="Server token. Optional: absent, it is made from the secret.",
        secret=True,
    )
    base_url: str = variable(
        "STREAM_BASE_URL",
        BaseURL("https://chat.stream-io-api.com"),
        default="https://chat.stream-io-api.com",
        meaning="Stream's REST API.",
    )
    # As in the vendor's SDKs, a token has no expiry unless one is asked for.
    token_duration: int | None = variable(
        "EXPIRATION_TOKEN_DURATION",
        WholeNumber(1, 10 * 366 * 86400, of="a whole number of seconds"),
        default=None,
        meaning="Life of a user token, in seconds from its issue. Absent: it never expires.",
    )
    root_port: int | None = variable(
        "STREAM_ROOT_PORT",
        Port(),
        default=None,
        meaning="Second port, at whose root `/proxy` is served: for the asyncio Python SDK, "
        "which drops the path of its base URL.",
    )

    user_id_strip_prefix: tuple[str, ...] = variable(
        "USERID_STRIP_PREFIX",
        TextList("a comma list of prefixes"),
        default=(),
        meaning="Prefixes taken off a user id before it is checked, such as `auth0|`.",
    )
    error_object_key: str = variable(
        "ERROR_OBJ_KEY",
        Text(lambda text: text != "authentication", "a name other than `authentication`"),
        default="errors",
        meaning="Key, under a client type, of the messages for a caller who is not logged in.",
    )
    style_config: MountedFile | None = variable(
        "STYLE_CONFIG",
        FilePath("a JSON file"),
        default=None,
        meaning="Document behind `GET /config`. Read again when it changes.",
        check=client_config.problems,
    )
    permissions_config: MountedFile | None = variable(
        "PERMISSIONS_CONFIG",
        FilePath("a JSON file"),
        default=None,
        meaning="Permissions document, put in force at the start and when it changes. Absent: "
        "nothing is touched.",
        check=document.problems,
        beside=("permissions_version",),
    )
    permissions_version: str = variable(
        "PERMISSIONS_VERSION",
        OneOf("1", "2"),
        default="2",
        meaning="Which of Stream's permission systems that document is for: `1` or `2`.",
    )
    permissions_create_types: str = variable(
        "PERMISSIONS_CREATE_TYPES",
        OneOf("true", "false"),
        default="false",
        meaning="Whether channel types that are missing are made for version `2`. For version `1` "
        "they always are.",
    )

    def problems(self) -> Iterator[str]:
        """Refuse a mix of the stand-in's credentials and real ones."""
        stand_in_key = self.api_key == STAND_IN_KEY
        stand_in_secret = STAND_IN_SECRET in self.api_secrets

        if stand_in_key != stand_in_secret:
            yield (
                "STREAM_API_KEY: one of key and secret is the stand-in's, the other is not. "
                "Set both to those of one application."
            )
        elif stand_in_key and not is_local(self.base_url):
            yield (
                "STREAM_BASE_URL: the credentials are the stand-in's, the address is not. "
                "Set STREAM_API_KEY and STREAM_API_SECRET to those of your application."
            )

    def warnings(self) -> Iterator[str]:
        """Warn of the stand-in, of secrets that are easy to guess, of slips in permissions."""
        if self.api_key == STAND_IN_KEY:
            yield "the credentials are the stand-in's: nothing reaches Stream"

        if any(len(secret.encode()) < SHORTEST_SAFE_KEY for secret in self.api_secrets):
            yield f"STREAM_API_SECRET is shorter than {SHORTEST_SAFE_KEY} bytes: easy to guess"

        if self.permissions_config is not None:
            for warning in document.warnings(document.parse(self.permissions_config.content)):
                yield f"PERMISSIONS_CONFIG: {warning}"
