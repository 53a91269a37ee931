"""PerformChat's settings."""

import dataclasses
from collections.abc import Iterator

from marshmallow import fields, validate

from chatproxy.limiting.rate import Rate
from chatproxy.limiting.settings import EXPECTS_A_RATE, RateField
from chatproxy.providers.base import ProviderSettings
from chatproxy.variables import (
    EXPECTS_SIGNING_SECRETS,
    Duration,
    SigningSecrets,
    Text,
    is_base_url,
    variable,
)

DAY = 24 * 3600
KEY = validate.Regexp(r"[\x21-\x7e]+\Z")


@dataclasses.dataclass(frozen=True)
class PerformChatSettings(ProviderSettings):
    """What the environment says of PerformChat."""

    jwt_secrets: tuple[str, ...] = variable(
        "PERFORMCHAT_JWT_SECRET",
        SigningSecrets(),
        expects=EXPECTS_SIGNING_SECRETS,
        meaning="Signs the tokens. A comma list while it is rotated: the first signs, all verify.",
        secret=True,
        kept=True,
    )
    max_ttl: int = variable(
        "PERFORMCHAT_MAX_TTL",
        Duration(60, 366 * DAY),
        default=30 * DAY,
        expects="a duration from 60s to 366d, such as 30d",
        meaning="Longest life that a caller may ask for. Above it the answer is 400.",
    )
    token_rate: Rate = variable(
        "PERFORMCHAT_TOKEN_RATE_LIMIT",
        RateField(),
        default=Rate.read("100 per minute"),
        expects=EXPECTS_A_RATE,
        meaning="How often tokens may be issued by one API key.",
    )
    agents: str | None = variable(
        "PERFORMCHAT_AGENTS",
        fields.String(),
        default=None,
        expects="the path of a JSON file",
        meaning="A list of agents, each `{id, name}`, perhaps with `active` and `app`. Those that "
        "are not in the directory are made at the start; the others are left as they are.",
    )
    base_url: str | None = variable(
        "PERFORMCHAT_BASE_URL",
        Text(is_base_url),
        default=None,
        expects="an http or https URL without query, such as https://api.perform.chat",
        meaning="The PerformChat server that `/performchat/proxy/*` goes to. Absent: it answers "
        "503.",
    )
    key_id: str | None = variable(
        "PERFORMCHAT_KEY_ID",
        fields.String(validate=KEY),
        default=None,
        expects="the id (pk_…) of your key at PerformChat",
        meaning="Id of the real key, put into the body of every forwarded call.",
        secret=True,
    )
    key_secret: str | None = variable(
        "PERFORMCHAT_KEY_SECRET",
        fields.String(validate=KEY),
        default=None,
        expects="the secret (sk_…) of your key at PerformChat",
        meaning="Secret of the real key, put in beside its id.",
        secret=True,
    )

    def problems(self) -> Iterator[str]:
        """Refuse half of a key, and a server without one."""
        given = [self.base_url, self.key_id, self.key_secret]

        if any(given) and not all(given):
            yield (
                "PERFORMCHAT_BASE_URL: PERFORMCHAT_KEY_ID and PERFORMCHAT_KEY_SECRET go with it. "
                "Set all three or none."
            )

    def commands_before_start(self) -> Iterator[tuple[str, ...]]:
        """Yield what puts the agents of the document into the directory."""
        if self.agents is not None:
            yield ("agents", "import", self.agents)
