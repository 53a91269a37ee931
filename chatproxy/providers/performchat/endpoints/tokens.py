"""`/rest/v1/auth`: issue, invalidate and verify tokens."""

from typing import Any

from flask import Blueprint, Response

from chatproxy.errors import CallerError, TokenRejected, Unauthenticated
from chatproxy.identity.records import Agent, Profile, User
from chatproxy.metrics.table import TOKENS_REVOKED
from chatproxy.providers.performchat.endpoints.access import Company, check_access
from chatproxy.providers.performchat.provider import PerformChat
from chatproxy.web import access, guards
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, directory, limiter, now, provider
from chatproxy.web.parsing import BEARER, header, read_object

issuing = Blueprint("performchat-tokens", __name__)
invalidation = Blueprint("performchat-invalidation", __name__)
verification = Blueprint("performchat-verification", __name__)

#: The vendor's keys belong to an environment, ours do not. Its answers name the environment.
ENVIRONMENT = "production"
USER_NOT_FOUND = "Customer user not found or does not belong to your company"
TOO_MANY = "Too many token requests"


@issuing.post("")
def issue() -> Response:
    """Issue a token for a user and an agent; the user is created on the way."""
    company, performchat = authenticated(Company), provider(PerformChat)
    key, requested = company.key, company.requested
    access.acts_for(requested.user_id)
    agent = _agent(key.app_id, requested.agent_id)
    # Counted before the user is written, so that a refused request changes nothing.
    subject = f"performchat tokens {key.id}"
    count = limiter().spend(subject, performchat.token_rate, TOO_MANY, limit="tokens")

    user, _ = directory().users.upsert(key.app_id, requested.user_id, Profile())
    user_body = _user_body(user, agent)
    answer = private(
        {
            "token": performchat.tokens.make(user, agent, now(), requested.ttl),
            # The vendor's examples call it `user`, its reference `customerUser`.
            "user": user_body,
            "customerUser": user_body,
            "agent": {"id": agent.id, "name": agent.name, "active": agent.active},
            "apiKey": {"id": key.id, "name": key.name, "environment": ENVIRONMENT},
        }
    )
    answer.headers.update(count.headers())
    return answer


@invalidation.post("")
def invalidate() -> Response:
    """Invalidate all tokens of a user, named by the internal id that `issue` answered."""
    company = authenticated(Company)
    user_id = company.requested
    check_access(user_id)
    version = directory().tokens.revoke_user_by_our_id(company.app_id, user_id)

    if version is None:
        raise CallerError(USER_NOT_FOUND)

    TOKENS_REVOKED.add(PerformChat.name)
    return private(
        {
            "message": "All tokens invalidated successfully",
            "customerUserId": user_id,
            "newTokenVersion": version,
        }
    )


@verification.post("")
def verify() -> Response:
    """Answer the claims of a valid token."""
    token = _presented_token()

    try:
        claims = provider(PerformChat).tokens.valid_claims(token, directory(), now())
    except TokenRejected as error:
        guards.count_rejected(token, error)
        raise

    return private(claims)


def _presented_token() -> str:
    """Return the token in `Authorization` or in the body; if both are given they must agree."""
    given = read_object().get("token")
    bearer = BEARER.fullmatch(header("Authorization") or "")

    if given is not None and not isinstance(given, str):
        raise CallerError("token: Not a valid string.")

    if given is None:
        return guards.bearer(missing="Missing token")

    if bearer is not None and bearer[1] != given:
        raise CallerError("The token in the body is another one than that in Authorization.")

    if not given:
        raise Unauthenticated("Missing token")

    return given


def _agent(app_id: str, agent_id: str | None) -> Agent:
    # An unknown agent is a 400 at the vendor, not a 404.
    if agent_id is None:
        agent, message = directory().agents.first_active(app_id), "No active agents found"
    else:
        agent, message = directory().agents.find(app_id, agent_id), "Agent not found or inactive"

    if agent is None or not agent.active:
        raise CallerError(message)

    return agent


def _user_body(user: User, agent: Agent) -> dict[str, Any]:
    return {
        "id": user.id,
        "externalId": user.external_id,
        "companyId": user.app_id,
        "agentId": agent.id,
    }
