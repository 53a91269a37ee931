"""A sidecar with ChatSDK on, on each database, and who calls it."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from chatproxy.providers.chatsdk.settings import JANUARY, TODAY
from tests import canaries, commands
from tests.calls import Reply, call, segment
from tests.databases import KINDS
from tests.directories import make_key
from tests.sidecar import Sidecar

VERSIONS = (JANUARY, TODAY)
OFTEN = "100000 per minute"
TOKEN_SECRETS = {
    "CHATSDK_JWT_SECRET": canaries.JWT_SECRET,
    "CENTRIFUGO_TOKEN_SECRET": canaries.CENTRIFUGO_SECRET,
    "KEY_SIGNING_SECRET": canaries.KEY_SIGNING_SECRET,
}


@dataclasses.dataclass
class App:
    """A service that calls with its app's key, and the clients that call with tokens."""

    sidecar: Sidecar
    key: str
    key_id: str
    id: str = "default"

    def ask(self, method: str, path: str, *fields: str, body: Any = None) -> Reply:
        """Call with the key."""
        return call(self.sidecar.port, method, path, f"X-API-Key: {self.key}", *fields, body=body)

    def issue(self, user_id: str, **profile: Any) -> Reply:
        return self.ask("POST", "/tokens", body={"userId": user_id, **profile})

    def tokens(self, user_id: str, **profile: Any) -> dict[str, Any]:
        reply = self.issue(user_id, **profile)
        assert reply.status == 200, reply.json
        found: dict[str, Any] = reply.json
        return found

    def revoke(self, user_id: str, body: Any = None) -> Reply:
        return self.ask("POST", f"/api/users/{segment(user_id)}/revoke-tokens", body=body)

    def user(self, user_id: str) -> Reply:
        return self.ask("GET", f"/api/users/{segment(user_id)}")

    def bearing(self, token: str, method: str, path: str, *fields: str, body: Any = None) -> Reply:
        """Call as a client does, with a token only."""
        return call(
            self.sidecar.port, method, path, f"Authorization: Bearer {token}", *fields, body=body
        )

    def validate(self, token: str, *fields: str) -> Reply:
        return self.bearing(token, "GET", "/tokens/validate", *fields)

    def validate_ws(self, token: str) -> Reply:
        return self.bearing(token, "GET", "/tokens/validate-ws")

    def refresh(self, token: str) -> Reply:
        return self.bearing(token, "POST", "/tokens/refresh")

    def another_key(self, *arguments: str) -> dict[str, str]:
        made: dict[str, str] = commands.answer(
            self.sidecar.environ, "keys", "create", "another", *arguments
        )
        return made

    def another_app(self, name: str) -> "App":
        made = commands.answer(self.sidecar.environ, "apps", "create", name)
        key = self.another_key("--app", made["id"])
        return App(self.sidecar, key["apiKey"], key["keyId"], made["id"])


@pytest.fixture(scope="session")
def chatsdk_before(sidecar_of: Callable[..., Any]) -> Callable[..., Any]:
    """Make a sidecar with ChatSDK on, and a key for it."""

    @contextmanager
    def before(kind: str = "sqlite", **settings: str) -> Iterator[App]:
        often = {"TOKEN_RATE_LIMIT": OFTEN, "AUTH_FAILURE_LIMIT": OFTEN}

        with sidecar_of("chatsdk", kind, TOKEN_SECRETS | often | settings) as sidecar:
            key = make_key(sidecar.environ, "tests")
            yield App(sidecar, key["apiKey"], key["keyId"])

    return before


@pytest.fixture(scope="session", params=KINDS)
def app(request: pytest.FixtureRequest, chatsdk_before: Callable[..., Any]) -> Iterator[App]:
    """The app that most tests share, once on each database."""
    with chatsdk_before(request.param) as made:
        yield made


@pytest.fixture(scope="module")
def house_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Any]]:
    """Return the application of an API version, in this process; one for each set of settings."""
    from tests.providers.chatsdk.in_process import House, house

    with contextlib.ExitStack() as open_until_end:
        made: dict[tuple[tuple[str, str], ...], House] = {}

        def of(version: str, **more: str) -> House:
            environ = {"CHATSDK_API_VERSION": version, **more}
            name = tuple(sorted(environ.items()))

            if name not in made:
                opened = house(tmp_path_factory.mktemp("house"), environ)
                made[name] = open_until_end.enter_context(opened)

            return made[name]

        yield of


@pytest.fixture(params=VERSIONS)
def either(request: pytest.FixtureRequest, house_of: Callable[..., Any]) -> Any:
    """The application, once of each API version."""
    return house_of(request.param)


@pytest.fixture
def january(house_of: Callable[..., Any]) -> Any:
    return house_of(JANUARY)


@pytest.fixture
def today(house_of: Callable[..., Any]) -> Any:
    return house_of(TODAY)
