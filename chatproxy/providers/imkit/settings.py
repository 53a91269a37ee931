"""IMKit's settings."""

import dataclasses
from collections.abc import Iterator
from typing import ClassVar

from chatproxy.settings.fields import (
    DAY,
    AppId,
    BaseURL,
    Duration,
    OneOf,
    Origins,
    ProviderKey,
    WholeNumber,
)
from chatproxy.settings.variables import ProviderSection, variable


@dataclasses.dataclass(frozen=True)
class IMKitSettings(ProviderSection):
    """Settings of IMKit."""

    # Names of the vendor's older library, which is still in use.
    underscored: ClassVar[tuple[str, ...]] = ("API_KEY", "CLIENT_KEY")
    caller_keys: ClassVar[tuple[str, ...]] = (
        "IM-API-KEY",
        "IM-Client-Key",
        "IM-Authorization",
        *underscored,
    )
    published: ClassVar[frozenset[str]] = frozenset(
        {
            "imkit-sandbox-api-key-of-the-stand-in",
            "imkit-sandbox-client-key-of-the-stand-in",
        }
    )

    endpoints: ClassVar[tuple[str, ...]] = (
        "GET /imkit/admin/clients",
        "POST /imkit/admin/clients",
        "POST /imkit/admin/clients/list",
        "PUT /imkit/admin/clients/<client_id>/token",
        "DELETE /imkit/admin/clients/<client_id>/token",
        "GET /imkit/badge",
        "POST /imkit/badge",
        "GET /imkit/badge/<client_id>",
        "POST /imkit/badge/<client_id>",
        "GET /imkit/me",
        "POST /imkit/me",
        "GET /imkit/me/badge",
    )
    user_headers: ClassVar[tuple[str, ...]] = ("IM-CLIENT-ID",)
    base_url: str | None = variable(
        "IMKIT_BASE_URL",
        BaseURL("https://imkit.example"),
        default=None,
        meaning="The IMKit server that `/imkit/*` goes to, and that is told of every change of a "
        "client or a token. Absent: what is not served here answers 503.",
    )
    # Base64 text at the vendor; older keys are free text.
    api_key: str | None = variable(
        "IMKIT_API_KEY",
        ProviderKey("the platform API key of your application at the IMKit server"),
        default=None,
        meaning="The real platform key, put into the calls of platform callers.",
        secret=True,
    )
    client_key: str | None = variable(
        "IMKIT_CLIENT_KEY",
        ProviderKey("the client key of your application at the IMKit server"),
        default=None,
        meaning="The real client key, put into the calls of clients.",
        secret=True,
    )
    app: str = variable(
        "IMKIT_APP",
        AppId(),
        default="default",
        meaning="The app whose users are the clients. Keys of other apps are refused.",
    )
    # Seven days is what the vendor's sample answers show.
    token_ttl: int = variable(
        "IMKIT_TOKEN_TTL",
        Duration(60, 366 * DAY, example="7d"),
        default=7 * DAY,
        meaning="Life of a token that is made here, and of one that comes without its end.",
    )
    verifies: str = variable(
        "IMKIT_VERIFY",
        OneOf("own", "all"),
        default="own",
        meaning="Whose tokens `/imkit/verify` accepts: IMKit's own, or also those that the other "
        "providers which are on have issued for the same app.",
    )
    max_sockets: int = variable(
        "IMKIT_MAX_SOCKETS",
        WholeNumber(1, 65535),
        default=1000,
        meaning="Socket.IO connections that each worker holds at once, at most half of the "
        "connections that it holds. Above it the answer is 503.",
    )
    socket: str = variable(
        "IMKIT_SOCKET",
        OneOf("authenticate", "relay"),
        default="authenticate",
        meaning="What `/imkit/socket.io` is. `relay`: a tunnel to the IMKit server, for any client "
        "of Socket.IO. `authenticate`: it signs clients in, and the chat is at the IMKit server.",
    )
    at_client_root: str = variable(
        "IMKIT_ROOT",
        OneOf("true", "false"),
        default="false",
        meaning="`true`: what is below `/imkit` at the client door stands at its root as well, "
        "`/socket.io` included: an SDK has one domain for both. Needs `CLIENT_PORT`.",
    )
    max_badge_clients: int = variable(
        "IMKIT_MAX_BADGE_CLIENTS",
        WholeNumber(1, 100_000_000),
        default=100_000,
        meaning="Clients whose badges are kept. Above it setting a badge of another client is 507.",
    )
    allowed_origins: tuple[str, ...] = variable(
        "IMKIT_ALLOWED_ORIGINS",
        Origins(),
        default=(),
        meaning="Origins whose pages may make client calls and open the socket from a browser. "
        "Absent: none; the socket is open to pages of the host that it is called by.",
    )

    def problems(self) -> Iterator[str]:
        """Refuse a server without its keys, and keys without a server."""
        given = [self.base_url, self.api_key, self.client_key]

        if any(given) and not all(given):
            yield (
                "IMKIT_BASE_URL: IMKIT_API_KEY and IMKIT_CLIENT_KEY go with it. "
                "Set all three or none."
            )

        if self.socket == "relay" and not self.base_url:
            yield "IMKIT_SOCKET: relay leads to the IMKit server. Set IMKIT_BASE_URL as well."
