"""ChatSDK's settings."""

import dataclasses
import re
from collections.abc import Iterator
from typing import ClassVar

from chatproxy.settings.fields import (
    DAY,
    BaseURL,
    Duration,
    Origins,
    ProviderKey,
    SigningSecrets,
    Text,
)
from chatproxy.settings.variables import ProviderSection, variable

#: Without `@`: callers are shown this URL, and must not see a password in it.
WS_URL = re.compile(r"wss?://[^\s?#@]+")


@dataclasses.dataclass(frozen=True)
class ChatSDKSettings(ProviderSection):
    """Settings of ChatSDK and of the Centrifugo beside it."""

    caller_keys: ClassVar[tuple[str, ...]] = ("X-API-Key",)
    published: ClassVar[frozenset[str]] = frozenset(
        {
            "chatsdk-jwt-secret-of-the-compose-file-not-for-production",
            "centrifugo-secret-of-the-compose-file-not-for-production",
            "chatsdk_sandbox_key_of_the_stand_in",
            "sandbox-chatsdk-secret-of-the-stand-in-not-for-production",
            "centrifugo-sandbox-key",
            "sandbox-centrifugo-secret-of-the-stand-in-not-for-production",
        }
    )
    endpoints: ClassVar[tuple[str, ...]] = (
        "POST /tokens",
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
        meaning="The real key, put into every forwarded call.",
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
        """Warn that a server without a key gets no calls."""
        if self.base_url is not None and self.api_key is None:
            yield "CHATSDK_BASE_URL is set and CHATSDK_API_KEY is not: nothing is forwarded"
