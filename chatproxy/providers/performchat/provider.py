"""One PerformChat company and its server."""

import json
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from chatproxy.errors import CallerError, NotConfigured, NotServed
from chatproxy.forwarding.call import Call
from chatproxy.forwarding.credentials import Credentials
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.token_records import Issued
from chatproxy.providers.base import Dialect, Provider, Verdict
from chatproxy.providers.issuing import Inspection, Minted, Wanted
from chatproxy.providers.people import Given, Person, Reach
from chatproxy.providers.performchat.errors import envelope
from chatproxy.providers.performchat.settings import PerformChatSettings
from chatproxy.providers.performchat.tokens import Tokens, issued
from chatproxy.settings.fields import DAY

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory

#: Seconds that a token lives where nobody asks for another life, as at the vendor.
DEFAULT_TTL = DAY
NO_AGENTS = "No active agents found"

NO_WEBSOCKET = (
    "WebSockets are not proxied. Clients connect to PerformChat themselves, with their token."
)


class PerformChat(Provider):
    """The settings of one PerformChat company, and the calls to its server."""

    name = "performchat"
    needed = "PERFORMCHAT_BASE_URL"
    dialect = Dialect(envelope, partial(NotServed, NO_WEBSOCKET))

    def __init__(self, settings: PerformChatSettings) -> None:
        self.base_url = settings.base_url
        self.max_ttl = settings.max_ttl
        self.token_rate = settings.token_rate
        self.tokens = Tokens(settings.jwt_secrets)
        self.dialects = {"/rest": self.dialect}
        # Sent in the body, also of a GET: the vendor knows no header for it.
        self._key = {"keyId": settings.key_id or "", "keySecret": settings.key_secret or ""}

    def authorise(self) -> Credentials:
        """Return the key's id and secret, which go into the JSON body."""
        return Credentials([], [], frozenset({"keyid", "keysecret", "authorization"}), self._key)

    def verdict(self, status: int, content: bytes | None) -> Verdict:
        """Return what an answer says about our key."""
        # At the vendor a missing permission is a 401 too, so only our own call tells.
        is_callers = status == 401 and content is None
        return "unknown" if is_callers else super().verdict(status, content)

    def check(self) -> Call:
        """List one agent. It needs the key and changes nothing; the key is in the body of a GET."""
        return Call.own(
            "GET",
            "/rest/v1/agents",
            query=[("limit", "1")],
            headers=[("Content-Type", "application/json")],
            body=json.dumps(self._key).encode(),
        )

    def read_user_token(self, token: str, now: float) -> Issued:
        """Read a token; raise a `TokenRejected`."""
        return issued(self.tokens.read(token, now))

    def mint(self, wanted: Wanted, directory: "Directory | None", now: float) -> Minted:
        """Make a token, and the user where there is none, for the agent or the first active one."""
        assert directory is not None  # noqa: S101 - it knows users
        wanted.only("app", "agent")
        app, ttl = wanted.app or DEFAULT_APP, wanted.seconds(DEFAULT_TTL, self.max_ttl)
        agents = directory.agents
        agent = agents.find(app, wanted.agent) if wanted.agent else agents.first_active(app)

        if agent is None or not agent.active:
            raise CallerError("Agent not found or inactive" if wanted.agent else NO_AGENTS)

        user, _ = directory.users.upsert(app, wanted.user_id, Profile(), seen=False)
        token = self.tokens.make(user, agent, now, ttl or DEFAULT_TTL)
        return Minted({"token": token}, int(now) + (ttl or DEFAULT_TTL))

    def give(self, person: Person, reach: Reach) -> Given:
        """Make a token for the first active agent, and the user."""
        assert reach.directory is not None  # noqa: S101
        agent = reach.directory.agents.first_active(self.app)

        if agent is None:
            raise NotConfigured(f"{NO_AGENTS}: make one by `chatproxy agents create`.")

        user = person.known_in(reach.directory, self.app)
        ttl = min(DEFAULT_TTL, self.max_ttl)
        texts = {"token": self.tokens.make(user, agent, reach.now, ttl)}
        connect = {"customerUserId": user.id, "companyId": user.app_id, "agentId": agent.id}
        return Given(texts, int(reach.now) + ttl, connect)

    def who(self, user_id: str, reach: Reach) -> Mapping[str, Any] | None:
        """Return by which id and version PerformChat's tokens name a user."""
        assert reach.directory is not None  # noqa: S101
        user = reach.directory.users.find(self.app, user_id)

        if user is None:
            return None

        version = user.token_version
        return {"customerUserId": user.id, "companyId": user.app_id, "tokenVersion": version}

    def inspect(self, token: str, directory: "Directory | None", now: float) -> Inspection | None:
        """Return what is known of a token."""
        assert directory is not None  # noqa: S101
        return self.tokens.inspect(token, directory, now)
