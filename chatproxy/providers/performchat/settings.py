"""PerformChat's settings."""

import dataclasses
from collections.abc import Iterator
from typing import ClassVar

from chatproxy.formats import agent_list
from chatproxy.formats.rates import Rate
from chatproxy.settings.fields import (
    DAY,
    BaseURL,
    Duration,
    FilePath,
    ProviderKey,
    RateField,
    SigningSecrets,
)
from chatproxy.settings.files import MountedFile
from chatproxy.settings.variables import ProviderSection, variable


@dataclasses.dataclass(frozen=True)
class PerformChatSettings(ProviderSection):
    """Settings of PerformChat."""

    caller_keys: ClassVar[tuple[str, ...]] = ("keySecret",)
    published: ClassVar[frozenset[str]] = frozenset(
        {
            "pk_sandbox_of_the_stand_in",
            "sk_sandbox_secret_of_the_stand_in",
        }
    )
    endpoints: ClassVar[tuple[str, ...]] = (
        "POST /rest/v1/auth/token",
        "POST /rest/v1/auth/invalidate-token",
        "GET /rest/v1/agents",
        "GET /rest/v1/agents/<agent_id>",
        "GET /rest/v1/customer-users",
        "PUT /rest/v1/customer-users/<user_id>",
    )
    jwt_secrets: tuple[str, ...] = variable(
        "PERFORMCHAT_JWT_SECRET",
        SigningSecrets(),
        meaning="Signs the tokens. A comma list while it is rotated: the first signs, all verify.",
        secret=True,
        kept=True,
    )
    # The vendor documents no maximum, and advises against more than seven days.
    max_ttl: int = variable(
        "PERFORMCHAT_MAX_TTL",
        Duration(60, 366 * DAY, example="30d"),
        default=30 * DAY,
        meaning="Longest life that a caller may ask for. Above it the answer is 400.",
    )
    # The limit that the vendor documents for its own token route.
    token_rate: Rate = variable(
        "PERFORMCHAT_TOKEN_RATE_LIMIT",
        RateField(),
        default=Rate.read("100 per minute"),
        meaning="How often tokens may be issued by one API key.",
    )
    agents: MountedFile | None = variable(
        "PERFORMCHAT_AGENTS",
        FilePath("a JSON file"),
        default=None,
        meaning="A list of agents, each `{id, name}`, perhaps with `active` and `app`. Those that "
        "are not in the directory are made at the start; the others are left as they are.",
        check=agent_list.problems,
        once=True,
    )
    # The vendor's pages name two hosts, so there is no default.
    base_url: str | None = variable(
        "PERFORMCHAT_BASE_URL",
        BaseURL("https://api.perform.chat"),
        default=None,
        meaning="The PerformChat server that `/performchat/proxy/*` goes to. Absent: it answers "
        "503.",
    )
    key_id: str | None = variable(
        "PERFORMCHAT_KEY_ID",
        ProviderKey("the id (pk_…) of your key at PerformChat"),
        default=None,
        meaning="Id of the real key, put into the body of every forwarded call.",
        secret=True,
    )
    key_secret: str | None = variable(
        "PERFORMCHAT_KEY_SECRET",
        ProviderKey("the secret (sk_…) of your key at PerformChat"),
        default=None,
        meaning="Secret of the real key, put in beside its id.",
        secret=True,
    )

    def problems(self) -> Iterator[str]:
        """Refuse a server without its key, and half of a key."""
        given = [self.base_url, self.key_id, self.key_secret]

        if any(given) and not all(given):
            yield (
                "PERFORMCHAT_BASE_URL: PERFORMCHAT_KEY_ID and PERFORMCHAT_KEY_SECRET go with it. "
                "Set all three or none."
            )

    def commands_before_start(self) -> Iterator[tuple[str, ...]]:
        """Import the agents of the document before the server starts."""
        if self.agents is not None:
            yield ("agents", "import", self.agents.path)
