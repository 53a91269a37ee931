"""A sidecar with IMKit on, on each database, and who calls it."""

import dataclasses
import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests import canaries, commands
from tests.calls import Reply, call, segment
from tests.databases import KINDS
from tests.directories import make_key
from tests.sidecar import Sidecar
from tests.upstream import IMKitUpstream

OFTEN = "100000 per minute"


def moment(**ahead: float) -> str:
    """A time from now, as JavaScript writes it."""
    then = datetime.datetime.now(datetime.UTC) + datetime.timedelta(**ahead)
    return then.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclasses.dataclass
class Site:
    """A customer's server, which calls with the platform key, and its clients."""

    sidecar: Sidecar
    api_key: str
    key_id: str
    client_key: str

    def ask(self, method: str, path: str, *fields: str, body: Any = None) -> Reply:
        """Call with the platform key, below `/imkit`."""
        key = f"IM-API-KEY: {self.api_key}"
        return call(self.sidecar.port, method, f"/imkit{path}", key, *fields, body=body)

    def bare(self, method: str, path: str, *fields: str, body: Any = None) -> Reply:
        """Call with nothing but what is given, below `/imkit`."""
        return call(self.sidecar.port, method, f"/imkit{path}", *fields, body=body)

    def acting(self, token: str, method: str, path: str, *fields: str, body: Any = None) -> Reply:
        """Call as a client does."""
        own = (f"IM-Client-Key: {self.client_key}", f"IM-Authorization: {token}")
        return call(self.sidecar.port, method, f"/imkit{path}", *own, *fields, body=body)

    def put(self, client_id: str, **more: Any) -> Any:
        """Create or update a client; return the result."""
        reply = self.ask("POST", "/admin/clients", body={"_id": client_id, **more})
        assert (reply.status, reply.json["RC"]) == (200, 0), reply.json
        return reply.json["result"]

    def token(self, client_id: str, **more: Any) -> str:
        """Have a token made here."""
        made: str = self.put(client_id, issueAccessToken=True, **more)["token"]
        return made

    def bind(self, client_id: str, token: str, end: str | None = None) -> Reply:
        body = {"token": token, "expirationDate": end or moment(hours=1)}
        return self.ask("PUT", f"/admin/clients/{segment(client_id)}/token", body=body)

    def unbind(self, client_id: str, body: Any = None) -> Reply:
        return self.ask("DELETE", f"/admin/clients/{segment(client_id)}/token", body=body)

    def verify(self, token: Any) -> Reply:
        return self.bare("POST", "/verify", body={"token": token})

    def run(self, *arguments: str) -> Any:
        return commands.answer(self.sidecar.environ, *arguments)


def before_it(url: str) -> dict[str, str]:
    """The settings of a sidecar before an IMKit server."""
    return {
        "IMKIT_BASE_URL": url,
        "IMKIT_API_KEY": canaries.IMKIT_KEY,
        "IMKIT_CLIENT_KEY": canaries.IMKIT_CLIENT_KEY,
    }


@pytest.fixture(scope="module")
def server() -> Iterator[IMKitUpstream]:
    """A strict stand-in for an IMKit server."""
    with IMKitUpstream(canaries.IMKIT_KEY, canaries.IMKIT_CLIENT_KEY) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def imkit_before(sidecar_of: Callable[..., Any]) -> Callable[..., Any]:
    """Make a sidecar with IMKit on, and a key of each kind for it."""

    @contextmanager
    def before(kind: str = "sqlite", **settings: str) -> Iterator[Site]:
        ours = {"KEY_SIGNING_SECRET": canaries.KEY_SIGNING_SECRET, "AUTH_FAILURE_LIMIT": OFTEN}

        with sidecar_of("imkit", kind, ours | settings) as sidecar:
            key = make_key(sidecar.environ, "tests")
            client = make_key(sidecar.environ, "app", "client")
            yield Site(sidecar, key["apiKey"], key["keyId"], client["clientKey"])

    return before


@pytest.fixture(scope="session", params=KINDS)
def site(request: pytest.FixtureRequest, imkit_before: Callable[..., Any]) -> Iterator[Site]:
    """The site that most tests share, once on each database."""
    with imkit_before(request.param) as made:
        yield made
