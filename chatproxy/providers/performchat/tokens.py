"""PerformChat's token. It names a user, an agent and the user's token version.

The version counts the invalidations of a user. A token with an older one is refused.
"""

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chatproxy.errors import TokenMalformed, TokenOfAnotherApp, TokenRejected, TokenRevoked
from chatproxy.identity.records import Agent, User
from chatproxy.identity.token_records import Issued, new_token_id
from chatproxy.metrics.table import TOKENS_MINTED
from chatproxy.providers.base import BACK_DATED
from chatproxy.providers.issuing import Inspection, Kind, inspection_of, signed
from chatproxy.signing import tokens

if TYPE_CHECKING:
    from chatproxy.identity.directory import Directory


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

    def valid_claims(self, token: str, directory: "Directory", now: float) -> dict[str, Any]:
        """Return the claims of a token that is in force; raise a `TokenRejected`."""
        # The vendor documents this order: signature and expiry, user, version, company, agent.
        claims = self.read(token, now)
        user = directory.users.find_by_our_id(claims["sub"])

        if user is None:
            raise TokenRejected("Customer user not found")

        if claims["tokenVersion"] != user.token_version:
            raise TokenRevoked("Token has been invalidated")

        if claims["companyId"] != user.app_id:
            raise TokenOfAnotherApp("Company mismatch")

        try:
            directory.tokens.check(issued(claims))  # revoked by its id, or with the whole company
        except TokenRevoked as error:
            raise TokenRevoked("Token has been invalidated") from error

        agent = directory.agents.find(user.app_id, claims["agentId"])

        if agent is None or not agent.active:
            raise TokenRejected("Agent is not active")

        return claims

    def inspect(self, token: str, directory: "Directory", now: float) -> Inspection | None:
        """Return what is known of a token; None where no secret of ours signed it."""
        found = signed(token, [Kind("token", "PERFORMCHAT_JWT_SECRET", self._secrets)])

        if found is None:
            return None

        said = inspection_of(found, lambda: self.valid_claims(token, directory, now))
        user, app = found.claims.get("externalId"), found.claims.get("companyId")
        return dataclasses.replace(
            said,
            user=user if isinstance(user, str) else None,
            app=app if isinstance(app, str) else None,
        )
