"""`/rest/v1/auth`: issue, invalidate and verify tokens."""

import dataclasses
from typing import Any

from flask import Blueprint, Response
from marshmallow import fields, validate

from chatproxy.errors import (
    CallerError,
    TokenOfAnotherApp,
    TokenRejected,
    TokenRevoked,
    Unauthenticated,
)
from chatproxy.formats import durations
from chatproxy.identity.agents import Agent
from chatproxy.identity.user import Profile, User
from chatproxy.providers.performchat.endpoints.access import Body, Company
from chatproxy.providers.performchat.provider import PerformChat
from chatproxy.web import guards
from chatproxy.web.answers import private
from chatproxy.web.current import authenticated, directory, limiter, now, provider
from chatproxy.web.parsing import BEARER, header, load, read_object
from chatproxy.web.user_schema import LONGEST_ID
from chatproxy.web.validators import storable

issuing = Blueprint("performchat-tokens", __name__)
invalidation = Blueprint("performchat-invalidation", __name__)
verification = Blueprint("performchat-verification", __name__)

ENVIRONMENT = "production"
DEFAULT_LIFE = "24h"
USER_NOT_FOUND = "Customer user not found or does not belong to your company"
TOO_MANY = "Too many token requests"


class TokenRequest(Body):
    """The body of `POST /auth/token`, beside the key."""

    user_id = fields.String(
        data_key="userId", required=True, validate=[validate.Length(1, LONGEST_ID), storable]
    )
    agent_id = fields.String(
        data_key="agentId",
        load_default=None,
        allow_none=True,
        validate=[validate.Length(1, 64), storable],
    )
    expires_in = fields.String(data_key="expiresIn", load_default=DEFAULT_LIFE)


class InvalidationRequest(Body):
    """The body of `POST /auth/invalidate-token`, beside the key."""

    customer_user_id = fields.String(data_key="customerUserId", required=True, validate=storable)


@dataclasses.dataclass(frozen=True)
class RequestedToken:
    """The token that is asked for; `ttl` is seconds."""

    user_id: str
    agent_id: str | None
    ttl: int


def requested_token(document: dict[str, Any]) -> RequestedToken:
    """Read which token is asked for; raise `CallerError`."""
    envelope = load(TokenRequest(), document)
    return RequestedToken(
        envelope["user_id"], envelope["agent_id"], _lifetime(envelope["expires_in"])
    )


def requested_invalidation(document: dict[str, Any]) -> str:
    """Read whose tokens are to end; raise `InvalidBody`."""
    user_id: str = load(InvalidationRequest(), document)["customer_user_id"]
    return user_id


@issuing.post("")
def issue() -> Response:
    """Answer a token for a user and an agent; the user is made on the way."""
    company, performchat = authenticated(Company), provider(PerformChat)
    key, requested = company.key, company.requested
    agent = _agent(key.app_id, requested.agent_id)
    count = limiter().spend(f"performchat tokens {key.id}", performchat.token_rate, TOO_MANY)

    user, _ = directory().users.upsert(key.app_id, requested.user_id, Profile())
    shown = _shown(user, agent)
    answer = private(
        {
            "token": performchat.tokens.make(user, agent, now(), requested.ttl),
            "user": shown,
            "customerUser": shown,
            "agent": {"id": agent.id, "name": agent.name, "active": agent.active},
            "apiKey": {"id": key.id, "name": key.name, "environment": ENVIRONMENT},
        }
    )
    answer.headers.update(count.headers())
    return answer


@invalidation.post("")
def invalidate() -> Response:
    """End all tokens of a user, named by the internal id that `issue` answered."""
    company = authenticated(Company)
    user_id = company.requested
    version = directory().tokens.revoke_user_by_our_id(company.app_id, user_id)

    if version is None:
        raise CallerError(USER_NOT_FOUND)

    return private(
        {
            "message": "All tokens invalidated successfully",
            "customerUserId": user_id,
            "newTokenVersion": version,
        }
    )


@verification.post("")
def verify() -> Response:
    """Answer the claims of a token that counts; the vendor's order of checks."""
    token = _presented_token()

    try:
        claims = _valid_claims(token)
    except TokenRejected as error:
        guards.count_rejected(token, error)
        raise

    return private(claims)


def _valid_claims(token: str) -> dict[str, Any]:
    """Return the claims; raise a `TokenRejected`."""
    read = provider(PerformChat).tokens.read(token, now())
    claims = read.claims

    user = directory().finder.by_our_id(claims["sub"])

    if user is None:
        raise TokenRejected("Customer user not found")

    if claims["tokenVersion"] != user.token_version:
        raise TokenRevoked("Token has been invalidated")

    if claims["companyId"] != user.app_id:
        raise TokenOfAnotherApp("Company mismatch")

    try:
        directory().tokens.check(read.issued)  # by its id, and with all of the company
    except TokenRevoked as error:
        raise TokenRevoked("Token has been invalidated") from error

    agent = directory().agents.find(user.app_id, claims["agentId"])

    if agent is None or not agent.active:
        raise TokenRejected("Agent is not active")

    return claims


def _presented_token() -> str:
    """Return the token in `Authorization` or in the body; two must be the same."""
    given = read_object().get("token")
    shown = BEARER.fullmatch(header("Authorization") or "")

    if given is not None and not isinstance(given, str):
        raise CallerError("token: Not a valid string.")

    if given is None:
        return guards.bearer(missing="Missing token")

    if shown is not None and shown[1] != given:
        raise CallerError("The token in the body is another one than that in Authorization.")

    if not given:
        raise Unauthenticated("Missing token")

    return given


def _lifetime(text: str) -> int:
    """Return the seconds of `expiresIn`; raise `CallerError`, never cut."""
    most = provider(PerformChat).max_ttl

    try:
        seconds = durations.seconds_of(text)
    except ValueError as error:
        raise CallerError("expiresIn must be digits and one of s, m, h, d, such as 24h") from error

    if not 0 < seconds <= most:
        raise CallerError(f"expiresIn must be from 1s to {durations.written(most)}")

    return seconds


def _agent(app_id: str, agent_id: str | None) -> Agent:
    """Return the agent that is asked for, or the active one; raise `CallerError`."""
    if agent_id is None:
        agent = directory().agents.first_active(app_id)

        if agent is None:
            raise CallerError("No active agents found")

        return agent

    agent = directory().agents.find(app_id, agent_id)

    if agent is None or not agent.active:
        raise CallerError("Agent not found or inactive")

    return agent


def _shown(user: User, agent: Agent) -> dict[str, Any]:
    return {
        "id": user.id,
        "externalId": user.external_id,
        "companyId": user.app_id,
        "agentId": agent.id,
    }
