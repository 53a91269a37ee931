"""The settings of received webhooks."""

import dataclasses
from collections.abc import Iterator

from chatproxy.settings.fields import (
    DAY,
    BaseURL,
    Duration,
    OneOf,
    Seconds,
    Text,
    WholeNumber,
    is_visible_ascii,
)
from chatproxy.settings.variables import Section, variable

#: Seconds after which the vendors that say so give up a webhook.
VENDORS_PATIENCE = 6


@dataclasses.dataclass(frozen=True)
class WebhookSettings(Section):
    """Where received webhooks are handed on to, and what is remembered of them."""

    target: str = variable(
        "WEBHOOK_TARGET",
        BaseURL("http://127.0.0.1:8080/events"),
        default="",
        meaning="URL to which webhooks are handed on that `POST /webhook/<provider>` has received. "
        "Reached without `UPSTREAM_PROXY`. Absent: none are received.",
    )
    target_token: str | None = variable(
        "WEBHOOK_TARGET_TOKEN",
        Text(is_visible_ascii, "a random text without spaces"),
        default=None,
        meaning="Sent to the target as `Authorization: Bearer`, so that it knows who calls.",
        secret=True,
    )
    timeout: float = variable(
        "WEBHOOK_TIMEOUT",
        Seconds(60),
        default=5.0,
        meaning="Limit on one delivery to the target, from name look-up to the end of its answer. "
        "Stream gives up after 6 s.",
    )
    window: int = variable(
        "WEBHOOK_WINDOW",
        Duration(1, 30 * DAY, example="1h"),
        default=3600,
        meaning="How long a delivered webhook is remembered, so that it is not handed on again.",
    )
    window_count: int = variable(
        "WEBHOOK_WINDOW_COUNT",
        WholeNumber(1, 1_000_000),
        default=10_000,
        meaning="How many of them are remembered; above it the oldest are forgotten.",
    )
    unsigned: str = variable(
        "WEBHOOK_UNSIGNED",
        OneOf("refuse", "pass"),
        default="refuse",
        meaning="What happens to events that come by SNS or SQS, which nobody has signed: `refuse` "
        "them, or `pass` them on with the verdict `unsigned`.",
    )

    def warnings(self) -> Iterator[str]:
        """Warn of a limit that is longer than the vendor waits."""
        if self.timeout >= VENDORS_PATIENCE:
            yield (
                f"WEBHOOK_TIMEOUT is {self.timeout:g} s: a vendor that gives up after "
                f"{VENDORS_PATIENCE} s sends the event again while it is being delivered"
            )

        if self.unsigned == "pass":
            yield (
                "WEBHOOK_UNSIGNED is pass: whoever reaches the webhooks' address can write events "
                "that are handed on as `unsigned`"
            )
