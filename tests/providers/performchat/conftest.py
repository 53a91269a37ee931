"""A sidecar with PerformChat on, on each database, and who calls it."""

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests import canaries, commands
from tests.calls import Reply, call
from tests.databases import KINDS
from tests.directories import make_key
from tests.sidecar import Sidecar

OFTEN = "100000 per minute"
SECRETS = {
    "PERFORMCHAT_JWT_SECRET": canaries.JWT_SECRET,
    "KEY_SIGNING_SECRET": canaries.KEY_SIGNING_SECRET,
}


@dataclasses.dataclass
class Company:
    """A service that calls with its company's key."""

    sidecar: Sidecar
    key: dict[str, str]
    agent: dict[str, Any]

    def ask(self, method: str, path: str, *fields: str, body: Any = None) -> Reply:
        """Call with the key's halves in the body."""
        whole = {"keyId": self.key["keyId"], "keySecret": self.key["keySecret"], **(body or {})}
        return call(self.sidecar.port, method, f"/rest/v1{path}", *fields, body=whole)

    def issue(self, user_id: Any, **more: Any) -> Reply:
        return self.ask("POST", "/auth/token", body={"userId": user_id, **more})

    def token(self, user_id: str, **more: Any) -> dict[str, Any]:
        reply = self.issue(user_id, **more)
        assert reply.status == 200, reply.json
        found: dict[str, Any] = reply.json
        return found

    def invalidate(self, customer_user_id: Any) -> Reply:
        body = {"customerUserId": customer_user_id}
        return self.ask("POST", "/auth/invalidate-token", body=body)

    def verify(self, token: str) -> Reply:
        field = f"Authorization: Bearer {token}"
        return call(self.sidecar.port, "POST", "/rest/v1/auth/verify", field)

    def run(self, *arguments: str) -> Any:
        return commands.answer(self.sidecar.environ, *arguments)


@pytest.fixture(scope="session")
def performchat_before(sidecar_of: Callable[..., Any]) -> Callable[..., Any]:
    """Make a sidecar with PerformChat on, a key and an agent for it."""

    @contextmanager
    def before(kind: str = "sqlite", **settings: str) -> Iterator[Company]:
        often = {"PERFORMCHAT_TOKEN_RATE_LIMIT": OFTEN, "AUTH_FAILURE_LIMIT": OFTEN}

        with sidecar_of("performchat", kind, SECRETS | often | settings) as sidecar:
            key = make_key(sidecar.environ, "tests")
            agent = commands.answer(sidecar.environ, "agents", "create", "Support", "--id", "a1")
            yield Company(sidecar, key, agent)

    return before


@pytest.fixture(scope="session", params=KINDS)
def company(
    request: pytest.FixtureRequest, performchat_before: Callable[..., Any]
) -> Iterator[Company]:
    """The company that most tests share, once on each database."""
    with performchat_before(request.param) as made:
        yield made
