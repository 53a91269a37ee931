"""ChatSDK's settings."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from chatproxy.settings.fields import (
    DAY,
    BaseURL,
    Duration,
    OneOf,
    Origins,
    ProviderKey,
    SigningSecrets,
    Text,
    TextList,
)
from chatproxy.settings.variables import ProviderSection, variable

#: Without `@`: callers are shown this URL, and must not see a password in it.
WS_URL = re.compile(r"wss?://[^\s?#@]+")

#: The versions of the vendor's API: that of January 2026, which its guide describes, and today's.
JANUARY, TODAY = "2026-01", "2.0"

#: All that a server of 2.0 asks for, by its public code. In January a token could do all of it.
SCOPES = (
    *("chat:read", "chat:write", "channel:create", "reaction:write"),
    *("typing:write", "search:read", "upload:write"),
)
SCOPE = re.compile(r"[A-Za-z0-9._:-]{1,64}")
#: As many as a server of 2.0 takes; each token carries all of them.
MOST_SCOPES = 50
PARTY = re.compile(r"[A-Za-z0-9._:/-]{1,255}")


class Scopes(TextList):
    """A comma list of scopes."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            f"a comma list of scopes such as chat:read, at most {MOST_SCOPES}",
            lambda text: SCOPE.fullmatch(text) is not None,
            **kwargs,
        )

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> tuple[str, ...]:
        scopes = super()._deserialize(value, attr, data, **kwargs)

        if len(scopes) > MOST_SCOPES:
            raise self.make_error("validator_failed")

        return scopes


def _party(kind: str) -> Text:
    return Text(
        lambda text: PARTY.fullmatch(text) is not None,
        f"the {kind} of a ChatSDK server's tokens, such as chatsdk-{kind}",
    )


@dataclasses.dataclass(frozen=True)
class ChatSDKSettings(ProviderSection):
    """Settings of ChatSDK and of the Centrifugo beside it."""

    caller_keys: ClassVar[tuple[str, ...]] = ("X-API-Key",)
    published: ClassVar[frozenset[str]] = frozenset(
        {
            "chatsdk-jwt-secret-of-the-compose-file-not-for-production",
            "centrifugo-secret-of-the-compose-file-not-for-production",
            "chatsdk_sandbox_key_of_the_stand_in",
            "chatsdk_sandbox_app_key_of_the_stand_in",
            "sandbox-chatsdk-secret-of-the-stand-in-not-for-production",
            "centrifugo-sandbox-key",
            "sandbox-centrifugo-secret-of-the-stand-in-not-for-production",
        }
    )
    endpoints: ClassVar[tuple[str, ...]] = (
        "POST /tokens",
        "POST /api/auth/connect",
        "POST /api/users/ensure",
        "GET /api/users/<user_id>",
        "DELETE /api/users/<user_id>",
        "POST /api/users/<user_id>/revoke-tokens",
    )
    jwt_secrets: tuple[str, ...] = variable(
        "CHATSDK_JWT_SECRET",
        SigningSecrets(),
        meaning="Signs `token`, for REST calls; a ChatSDK server's own `JWT_SECRET` where the two "
        "are to agree. A comma list while it is rotated: the first signs, all verify.",
        secret=True,
        kept=True,
    )
    # Not the secret above: each token must be refused where the other one belongs.
    centrifugo_secrets: tuple[str, ...] = variable(
        "CENTRIFUGO_TOKEN_SECRET",
        SigningSecrets(),
        meaning="Signs `wsToken`; Centrifugo's own HMAC secret. A comma list while it is rotated.",
        secret=True,
        kept=True,
    )
    api_version: str = variable(
        "CHATSDK_API_VERSION",
        OneOf(JANUARY, TODAY),
        default=JANUARY,
        meaning="The API of the ChatSDK server: `2026-01`, or `2.0` for a server of June 2026 on. "
        "It decides on the claims of tokens, on the user's name at Centrifugo, and on the keys "
        "that go out.",
    )
    # The guide gives both tokens 24 hours, and the vendor's server of January 2026 refreshes
    # a token up to 24 hours after its end.
    token_ttl: int = variable(
        "CHATSDK_TOKEN_TTL",
        Duration(60, 30 * DAY, example="24h"),
        default=DAY,
        meaning="Life of both tokens, from their issue.",
    )
    refresh_grace: int = variable(
        "CHATSDK_REFRESH_GRACE",
        Duration(0, 30 * DAY, example="24h"),
        default=DAY,
        meaning="How long after its end a token can still be exchanged for a new one.",
    )
    scopes: tuple[str, ...] = variable(
        "CHATSDK_SCOPES",
        Scopes(),
        default=(),
        meaning="What tokens of API version 2.0 may do at the server. Absent: all that it asks "
        "for.",
    )
    issuer: str = variable(
        "CHATSDK_JWT_ISSUER",
        _party("api"),
        default="chatsdk-api",
        meaning="`iss` of tokens of API version 2.0; the server's own `JWT_ISSUER`.",
    )
    audience: str = variable(
        "CHATSDK_JWT_AUDIENCE",
        _party("client"),
        default="chatsdk-client",
        meaning="`aud` of tokens of API version 2.0; the server's own `JWT_AUDIENCE`.",
    )
    base_url: str | None = variable(
        "CHATSDK_BASE_URL",
        BaseURL("https://chatsdk.example"),
        default=None,
        meaning="Root of the ChatSDK server that `/api/*` and `/chatsdk/proxy/*` go to. Absent: "
        "they answer 503.",
    )
    api_key: str | None = variable(
        "CHATSDK_API_KEY",
        ProviderKey("the API key of your application at the ChatSDK server"),
        default=None,
        meaning="The real key, put into forwarded calls: the app's primary key.",
        secret=True,
    )
    app_key: str | None = variable(
        "CHATSDK_APP_KEY",
        ProviderKey("an app-scoped API key of your application at the ChatSDK server"),
        default=None,
        meaning="For a server of API version 2.0, where the primary key is not taken below `/api`: "
        "the app-scoped key that is.",
        secret=True,
    )
    ws_url: str | None = variable(
        "CHATSDK_WS_URL",
        Text(
            lambda text: WS_URL.fullmatch(text) is not None,
            "a ws or wss URL, such as wss://chatsdk.example/ws",
        ),
        default=None,
        meaning="Where clients open their WebSocket. Named to whoever tries it here.",
    )
    centrifugo_url: str | None = variable(
        "CENTRIFUGO_API_URL",
        BaseURL("http://centrifugo:8000/api", of="the URL of Centrifugo's server API"),
        default=None,
        meaning="Centrifugo's server API. With it a revoked user is disconnected at once.",
    )
    centrifugo_key: str | None = variable(
        "CENTRIFUGO_API_KEY",
        ProviderKey("the API key of Centrifugo's server API"),
        default=None,
        meaning="Key of that API.",
        secret=True,
    )
    allowed_origins: tuple[str, ...] = variable(
        "CHATSDK_ALLOWED_ORIGINS",
        Origins(),
        default=(),
        meaning="Origins whose pages may call `/api/*` from a browser. Absent: none.",
    )

    def problems(self) -> Iterator[str]:
        """Refuse a URL of Centrifugo without its key, and the reverse."""
        if (self.centrifugo_url is None) != (self.centrifugo_key is None):
            yield (
                "CENTRIFUGO_API_KEY: one of CENTRIFUGO_API_URL and CENTRIFUGO_API_KEY is set, the "
                "other is not. Set both or none."
            )

    def warnings(self) -> Iterator[str]:
        """Warn of what is set and has no effect."""
        is_january = self.api_version == JANUARY
        has_key = self.api_key is not None or (self.app_key is not None and not is_january)

        if self.base_url is not None and not has_key:
            yield "CHATSDK_BASE_URL is set and CHATSDK_API_KEY is not: nothing is forwarded"

        if is_january and self.app_key is not None:
            yield "CHATSDK_APP_KEY is set and not used: a server of API version 2026-01 has one key"
