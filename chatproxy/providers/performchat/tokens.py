"""PerformChat's token: a user, an agent, and how often the user's tokens were invalidated."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from chatproxy.errors import TokenMalformed
from chatproxy.identity.records import Agent, User
from chatproxy.identity.token_records import Issued, new_token_id
from chatproxy.providers.base import BACK_DATED
from chatproxy.signing import tokens


@dataclasses.dataclass(frozen=True)
class Read:
    """A token whose signature, time and claims are right."""

    claims: dict[str, Any]

    @property
    def issued(self) -> Issued:
        """What the directory needs to say whether it counts. `sub` is our own id."""
        return Issued(
            self.claims["companyId"],
            self.claims["sub"],
            self.claims.get("jti"),
            self.claims["iat"],
            self.claims["exp"],
            by_our_id=True,
        )


class Tokens:
    """Makes and reads tokens. The first secret signs, all verify."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets

    def make(self, user: User, agent: Agent, now: float, ttl: int) -> str:
        """Make a token; times are seconds."""
        claims = {
            "sub": user.id,
            "externalId": user.external_id,
            "companyId": user.app_id,
            "agentId": agent.id,
            "tokenVersion": user.token_version,
            "iat": int(now) - BACK_DATED,
            "exp": int(now) + ttl,
            "jti": new_token_id(user.version),
        }
        return tokens.mint(claims, self._secrets[0])

    def read(self, token: str, now: float) -> Read:
        """Check signature, time and claims; raise a `TokenRejected`."""
        claims = tokens.read(token, self._secrets, now, texts=("sub", "companyId", "agentId"))
        version = claims.get("tokenVersion")

        if not isinstance(version, int) or isinstance(version, bool):
            raise TokenMalformed("Invalid token", detail="its tokenVersion is no number")

        return Read(claims)
