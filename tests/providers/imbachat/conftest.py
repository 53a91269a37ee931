"""A sidecar with ImbaChat on, on each database, and imbachat.com that calls it."""

import dataclasses
import json
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests import canaries, commands
from tests.calls import Reply, call
from tests.databases import KINDS
from tests.sidecar import Sidecar

OFTEN = "100000 per minute"
LOGIN = "Imba-Login"
PASSWORD = canaries.PASSWORD
SECRET_KEY = canaries.JWT_SECRET
DEV_ID = "1540"
ACCOUNT = {
    "IMBACHAT_API_LOGIN": LOGIN,
    "IMBACHAT_API_PASSWORD": PASSWORD,
    "IMBACHAT_SECRET_KEY": SECRET_KEY,
    "IMBACHAT_DEV_ID": DEV_ID,
    "KEY_SIGNING_SECRET": canaries.KEY_SIGNING_SECRET,
}

PEOPLE: list[dict[str, Any]] = [
    {
        "userId": "6",
        "name": "John",
        "image": "https://cdn.example/6.png",
        "email": "john@example.com",
        "custom": {
            "profile_url": "https://shop.example/members/6/",
            "lastlogin": 1700000000,
            "badge": "vip",
            "profiles": {"11": {"user_id": "P11-A", "name": "P11-John", "avatar_url": False}},
            "secret": "not for imbachat.com",
        },
    },
    {"userId": "7"},
    {"userId": "12", "name": "Ёлка 100%_a"},
    {"userId": "007", "name": "Bond"},
    {"userId": "alice", "name": "Alice Johnson"},
    {"userId": "9007199254740993", "name": "Too large for a browser"},
]


def basic(login: str, password: str) -> str:
    return f"Authorization: Basic {b64encode(f'{login}:{password}'.encode()).decode()}"


@dataclasses.dataclass
class Site:
    """A site as imbachat.com and its own backend see it."""

    sidecar: Sidecar

    def ask(self, path: str, *fields: str) -> Reply:
        """Call as imbachat.com does."""
        return call(self.sidecar.port, "GET", path, basic(LOGIN, PASSWORD), *fields)

    def get(self, path: str, *fields: str) -> Reply:
        """Call without a credential."""
        return call(self.sidecar.port, "GET", path, *fields)

    def credentials(self, path: str) -> dict[str, Any]:
        """What a page signs in with: nobody may keep it, and the token is there by both names."""
        reply = self.get(path)
        assert (reply.status, reply.header("Cache-Control")) == (200, "no-store")
        found: dict[str, Any] = reply.json
        assert found["token"] == found["user_key"]
        return found

    def ids(self, path: str) -> list[int]:
        """The ids of the users that are told of."""
        reply = self.ask(path)
        assert reply.status == 200, reply.json
        return [user["user_id"] for user in reply.json]

    def import_users(self, people: list[dict[str, Any]]) -> None:
        rows = "\n".join(json.dumps(one) for one in people)
        done = commands.run(self.sidecar.environ, "users", "import", "-", stdin=rows)
        assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def imbachat_before(sidecar_of: Callable[..., Any]) -> Callable[..., Any]:
    """Make a sidecar with ImbaChat on."""

    @contextmanager
    def before(kind: str = "sqlite", **settings: str) -> Iterator[Site]:
        ours = ACCOUNT | {"AUTH_FAILURE_LIMIT": OFTEN}

        with sidecar_of("imbachat", kind, ours | settings) as sidecar:
            yield Site(sidecar)

    return before


@pytest.fixture(scope="session", params=KINDS)
def site(request: pytest.FixtureRequest, imbachat_before: Callable[..., Any]) -> Iterator[Site]:
    """The site that most tests share, once on each database, with a few people in it."""
    with imbachat_before(request.param) as made:
        made.import_users(PEOPLE)
        yield made


@pytest.fixture(scope="session")
def one_site(imbachat_before: Callable[..., Any]) -> Iterator[Site]:
    """Such a site on one database, where the database is not what is tried."""
    with imbachat_before() as made:
        made.import_users(PEOPLE)
        yield made
