"""ImbaChat's settings."""

import dataclasses
import re
from collections.abc import Iterator
from typing import ClassVar

from chatproxy.formats.compact_jwt import SHORTEST_SAFE_KEY
from chatproxy.settings.fields import DAY, AppId, BaseURL, Duration, OneOf, OneSecret, Text
from chatproxy.settings.variables import ProviderSection, variable

HOUR = 3600

#: It becomes a segment of the script's URL as it is.
DEV_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

#: The id of a widget that is not configured, as on a first local run.
NO_DEV_ID = "no-dev-id"


def _is_login(text: str) -> bool:
    # In Basic a colon ends the user (RFC 7617 section 2).
    return text.isprintable() and ":" not in text


@dataclasses.dataclass(frozen=True)
class ImbaChatSettings(ProviderSection):
    """Settings of one ImbaChat widget, named as in the form in which it is configured."""

    tokens_stay: ClassVar[str] = (
        "imbachat.com alone checks them. Each is good until its end (IMBACHAT_TOKEN_TTL)"
    )
    published: ClassVar[frozenset[str]] = frozenset(
        {
            "sandbox-imbachat-secret-of-the-stand-in-not-for-production",
        }
    )

    endpoints: ClassVar[tuple[str, ...]] = (
        "GET /imbachat/token/<user_id>",
        "GET /imbachat/widget/<user_id>",
    )

    # One, as the form has it; those that it had before are added while they are still accepted.
    api_passwords: tuple[str, ...] = variable(
        "IMBACHAT_API_PASSWORD",
        OneSecret(str.isprintable, "the widget's `API password`"),
        meaning="`API password` of the widget, with which imbachat.com calls.",
        secret=True,
        kept=True,
    )
    # Used as text. The vendor does not decode it, whatever it looks like.
    secret_key: str = variable(
        "IMBACHAT_SECRET_KEY",
        Text(str.isprintable, "the widget's `Secret key`"),
        meaning="`Secret key` of the widget, as it stands: signs user tokens, and goes into every "
        "forwarded call. One only: imbachat.com knows no second.",
        secret=True,
        kept=True,
    )
    api_login: str = variable(
        "IMBACHAT_API_LOGIN",
        Text(_is_login, "the widget's `API login`, without a colon"),
        default="imbachat",
        meaning="`API login` of the widget, with which imbachat.com calls. Upper and lower case "
        "are the same.",
    )
    dev_id: str = variable(
        "IMBACHAT_DEV_ID",
        Text(
            lambda text: DEV_ID.fullmatch(text) is not None,
            "the widget's id, as it stands in the URL of its script",
        ),
        default=NO_DEV_ID,
        meaning="Id of the widget. Without one of your own the script cannot load, and nothing is "
        "forwarded.",
    )
    # Seven hours is what every plugin of the vendor uses; its page on the API says one.
    token_ttl: int = variable(
        "IMBACHAT_TOKEN_TTL",
        Duration(60, 30 * DAY, example="7h"),
        default=7 * HOUR,
        meaning="Life of a user token, from its issue. It cannot be ended earlier.",
    )
    base_url: str = variable(
        "IMBACHAT_BASE_URL",
        BaseURL("https://imbachat.com"),
        default="https://imbachat.com",
        meaning="Where the widget's script comes from and `/imbachat/proxy/*` goes to.",
    )
    app: str = variable(
        "IMBACHAT_APP",
        AppId(),
        default="default",
        meaning="The app whose users imbachat.com is told of.",
    )
    friends: str = variable(
        "IMBACHAT_FRIENDS",
        OneOf("true", "false"),
        default="false",
        meaning="`true`: imbachat.com is told who a user's friends are: `friends` in its `custom`, "
        "a list of ids.",
    )

    def servers(self) -> Iterator[tuple[str, str]]:
        """Yield the one server, which is not called without a widget."""
        if self.dev_id != NO_DEV_ID:
            yield from super().servers()

    def warnings(self) -> Iterator[str]:
        """Warn of a key that is easy to guess, and of a missing widget."""
        if len(self.secret_key.encode()) < SHORTEST_SAFE_KEY:
            yield (
                f"IMBACHAT_SECRET_KEY is shorter than {SHORTEST_SAFE_KEY} bytes: "
                "it is easy to guess, and with it anybody's token is made"
            )

        if self.dev_id == NO_DEV_ID:
            yield "IMBACHAT_DEV_ID is not set: the widget cannot load, and nothing is forwarded"
