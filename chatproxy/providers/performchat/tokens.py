"""PerformChat's token. It names a user, an agent and the user's token version.

The version counts the invalidations of a user. A token with an older one is refused.
"""

from collections.abc import Sequence
from typing import Any

from chatproxy.errors import TokenMalformed
from chatproxy.identity.records import Agent, User
from chatproxy.identity.token_records import Issued, new_token_id
from chatproxy.metrics.table import TOKENS_MINTED
from chatproxy.providers.base import BACK_DATED
from chatproxy.signing import tokens


def issued(claims: dict[str, Any]) -> Issued:
    """Return what the directory needs to tell whether a token was revoked."""
    token_id = claims.get("jti")
    company, user_id = claims["companyId"], claims["sub"]  # `sub` is our own id of the user
    return Issued(company, user_id, token_id, claims["iat"], claims["exp"], by_our_id=True)


class Tokens:
    """Makes and reads tokens. The first secret signs, all verify."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = secrets

    def make(self, user: User, agent: Agent, now: float, ttl: int) -> str:
        """Make a token; `now` and `ttl` are in seconds."""
        # The vendor documents `sub`, `companyId`, `agentId` and `tokenVersion`. `jti` is ours: by
        # it a single token can be revoked.
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
        TOKENS_MINTED.add("performchat")
        return tokens.mint(claims, self._secrets[0])

    def read(self, token: str, now: float) -> dict[str, Any]:
        """Return the claims; raise a `TokenRejected`. Only the directory knows revocations."""
        claims = tokens.read(token, self._secrets, now, texts=("sub", "companyId", "agentId"))
        version = claims.get("tokenVersion")

        if not isinstance(version, int) or isinstance(version, bool):  # True is an int too
            raise TokenMalformed("Invalid token", detail="its tokenVersion is no number")

        return claims
