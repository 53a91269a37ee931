"""A sidecar with every provider on, each before its own stand-in, and the credentials for it."""

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from chatproxy.identity.records import DEFAULT_APP
from chatproxy.providers import SETTINGS
from sandbox import SERVED
from sandbox.centrifugo import API_KEY as CENTRIFUGO_KEY
from sandbox.centrifugo import TOKEN_SECRET, CentrifugoSandbox
from sandbox.chatsdk import API_KEY as CHATSDK_KEY
from sandbox.chatsdk import JWT_SECRET
from sandbox.imbachat import DEV_ID, SECRET_KEY
from sandbox.imkit import API_KEY as IMKIT_KEY
from sandbox.imkit import CLIENT_KEY as IMKIT_CLIENT_KEY
from sandbox.performchat import KEY_ID, KEY_SECRET
from sandbox.stream import API_KEY, API_SECRET
from sandbox.target import Target
from tests.calls import call
from tests.databases import new_directory
from tests.directories import beside, make_key
from tests.everything import environ_before
from tests.sidecar import Sidecar

AGENT = "agent_abc"
ALICE = {"userId": "alice", "name": "Alice"}
#: ImbaChat's users are numbers.
JOHN = {
    "userId": "6",
    "name": "John",
    "image": "https://shop.example/6.png",
    "custom": {"badge": "vip"},
}
LOGIN, PASSWORD = "login", "password-of-imbachat-com"


@dataclasses.dataclass
class House:
    """The sidecar, a platform key, a client key, and what a user has been given."""

    sidecar: Sidecar
    key: dict[str, str]
    client_key: str
    chatsdk: dict[str, str]
    performchat: dict[str, str]
    performchat_id: str
    imkit_token: str


def environ_of(urls: dict[str, str], centrifugo: str) -> dict[str, str]:
    """The settings of every provider, with what its stand-in takes."""
    return environ_before("") | {
        **{f"{name.upper()}_BASE_URL": url for name, url in urls.items()},
        "STREAM_API_KEY": API_KEY,
        "STREAM_API_SECRET": API_SECRET,
        "CHATSDK_API_KEY": CHATSDK_KEY,
        "CHATSDK_JWT_SECRET": JWT_SECRET,
        "CENTRIFUGO_TOKEN_SECRET": TOKEN_SECRET,
        "CENTRIFUGO_API_URL": f"{centrifugo}/api",
        "CENTRIFUGO_API_KEY": CENTRIFUGO_KEY,
        "PERFORMCHAT_KEY_ID": KEY_ID,
        "PERFORMCHAT_KEY_SECRET": KEY_SECRET,
        "PERFORMCHAT_TOKEN_RATE_LIMIT": "100000 per minute",
        "IMKIT_API_KEY": IMKIT_KEY,
        "IMKIT_CLIENT_KEY": IMKIT_CLIENT_KEY,
        "IMBACHAT_DEV_ID": DEV_ID,
        "IMBACHAT_SECRET_KEY": SECRET_KEY,
        "CHATSDK_ALLOWED_ORIGINS": "https://app.example",
        "IMKIT_ALLOWED_ORIGINS": "https://app.example",
    }


@contextlib.contextmanager
def house(output: Path, folder: Path, **changes: str) -> Iterator[House]:
    """Run all of it, on a directory of its own."""
    with contextlib.ExitStack() as stack:
        urls = {name: stack.enter_context(SERVED[name]()).url for name in SETTINGS}
        centrifugo = stack.enter_context(CentrifugoSandbox()).url
        # Its examples are no secrets of ours, so they are not signed.
        webhooks = {"WEBHOOK_TARGET": stack.enter_context(Target()).url, "WEBHOOK_UNSIGNED": "pass"}
        directory = stack.enter_context(new_directory("sqlite", folder))
        environ = environ_of(urls, centrifugo) | webhooks | {"DATABASE_URL": directory} | changes
        sidecar = stack.enter_context(Sidecar(output, environ))
        yield furnished(sidecar)


def furnished(sidecar: Sidecar) -> House:
    """Make the keys and the user that the examples name."""
    with beside(sidecar.environ) as directory:
        directory.agents.create("Support Agent", DEFAULT_APP, AGENT)

    key = make_key(sidecar.environ, "my-backend")
    client_key = make_key(sidecar.environ, "my-app", "client")["clientKey"]
    port, text = sidecar.port, key["apiKey"]
    halves = {"keyId": key["keyId"], "keySecret": key["keySecret"]}
    chatsdk = call(port, "POST", "/tokens", f"X-API-Key: {text}", body=ALICE).json
    performchat = call(
        port, "POST", "/rest/v1/auth/token", body=halves | {"userId": "user_123"}
    ).json
    imkit = call(
        port,
        "POST",
        "/imkit/admin/clients",
        f"IM-API-KEY: {text}",
        body={"_id": "alice", "nickname": "Alice", "issueAccessToken": True},
    ).json
    call(port, "POST", "/api/users/ensure", f"X-API-Key: {text}", body=JOHN)
    call(port, "GET", "/token/alice?upsert=true")
    call(port, "POST", "/imkit/badge/alice", body={"source": "imkit", "count": 3})
    return House(
        sidecar,
        key,
        client_key,
        chatsdk,
        performchat,
        performchat["user"]["id"],
        imkit["result"]["token"],
    )
