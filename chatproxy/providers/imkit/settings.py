"""IMKit's settings."""

import dataclasses
import re
from collections.abc import Iterator
from typing import ClassVar

from marshmallow import fields, validate

from chatproxy.providers.base import ProviderSettings
from chatproxy.variables import Duration, Text, TextList, WholeNumber, is_base_url, variable

DAY = 24 * 3600
KEY = validate.Regexp(r"[\x21-\x7e]+\Z")
APP_ID = re.compile(r"[A-Za-z0-9._~-]{1,64}")
ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^\s/?#@]+")


@dataclasses.dataclass(frozen=True)
class IMKitSettings(ProviderSettings):
    """What the environment says of IMKit."""

    underscored: ClassVar[tuple[str, ...]] = ("API_KEY", "CLIENT_KEY")

    base_url: str | None = variable(
        "IMKIT_BASE_URL",
        Text(is_base_url),
        default=None,
        expects="an http or https URL without query, such as https://imkit.example",
        meaning="The IMKit server that `/imkit/*` goes to, and that is told of every change of a "
        "client or a token. Absent: what is not served here answers 503.",
    )
    api_key: str | None = variable(
        "IMKIT_API_KEY",
        fields.String(validate=KEY),
        default=None,
        expects="the platform API key of your application at the IMKit server",
        meaning="The real platform key, put into the calls of platform callers.",
        secret=True,
    )
    client_key: str | None = variable(
        "IMKIT_CLIENT_KEY",
        fields.String(validate=KEY),
        default=None,
        expects="the client key of your application at the IMKit server",
        meaning="The real client key, put into the calls of clients.",
        secret=True,
    )
    app: str = variable(
        "IMKIT_APP",
        Text(lambda text: APP_ID.fullmatch(text) is not None),
        default="default",
        expects="the id of an app, as `chatproxy apps list` shows it",
        meaning="The app whose users are the clients. Keys of other apps are refused.",
    )
    token_ttl: int = variable(
        "IMKIT_TOKEN_TTL",
        Duration(60, 366 * DAY),
        default=7 * DAY,
        expects="a duration from 60s to 366d, such as 7d",
        meaning="Life of a token that is made here, and of one that comes without its end.",
    )
    verifies: str = variable(
        "IMKIT_VERIFY",
        fields.String(validate=validate.OneOf(["own", "all"])),
        default="own",
        expects="own or all",
        meaning="Whose tokens `/imkit/verify` accepts: IMKit's own, or also those that the other "
        "providers which are on have issued for the same app.",
    )
    max_sockets: int = variable(
        "IMKIT_MAX_SOCKETS",
        WholeNumber(1, 65535),
        default=1000,
        expects="a whole number from 1 to 65535",
        meaning="Socket.IO connections that each worker holds at once, well below "
        "`WORKER_CONNECTIONS`, of which they take. Above it the answer is 503.",
    )
    allowed_origins: tuple[str, ...] = variable(
        "IMKIT_ALLOWED_ORIGINS",
        TextList(lambda text: ORIGIN.fullmatch(text) is not None),
        default=(),
        expects="a comma list of origins such as https://app.example, or *",
        meaning="Origins whose pages may make client calls and open the socket from a browser. "
        "Absent: none; the socket is open to pages of the host that it is called by.",
    )

    def problems(self) -> Iterator[str]:
        """Refuse a server without the keys that go with it."""
        given = [self.base_url, self.api_key, self.client_key]

        if any(given) and not all(given):
            yield (
                "IMKIT_BASE_URL: IMKIT_API_KEY and IMKIT_CLIENT_KEY go with it. "
                "Set all three or none."
            )
