"""A target of webhooks, and a sidecar of two workers that hands on to it."""

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable, Iterator

import pytest

from sandbox.target import Target
from tests.canaries import API_KEY, API_SECRET
from tests.sidecar import Sidecar
from tests.wire import RawAnswer, ask, post

#: Seconds that a delivery may take here.
TIMEOUT = 4
TOKEN = "token-of-the-target-of-webhooks-0123456789"  # noqa: S105
PATH = "/webhook/stream"

ids = itertools.count(1)


def event(**more: str) -> bytes:
    """An event like no other."""
    return json.dumps({"type": "message.new", "number": next(ids)} | more).encode()


def signed(body: bytes, secret: str = API_SECRET) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def head(body: bytes, *, webhook_id: str | None = None, of: bytes | None = None) -> list[str]:
    """The fields with which Stream sends a body; the signature is `of` what it signs."""
    name = f"id-{next(ids)}" if webhook_id is None else webhook_id
    return [
        "Content-Type: application/json",
        f"X-Signature: {signed(body if of is None else of)}",
        f"X-Api-Key: {API_KEY}",
        *([f"X-Webhook-Id: {name}"] if name else []),
        "X-Webhook-Attempt: 1",
    ]


def send(port: int, body: bytes, fields: list[str], *, within: float = 20) -> RawAnswer:
    return ask(port, post(PATH, body, *fields), timeout=within)


@pytest.fixture(scope="package")
def target() -> Iterator[Target]:
    with Target() as running:
        yield running


@pytest.fixture(autouse=True)
def _forget_events(request: pytest.FixtureRequest) -> None:
    if "target" in request.fixturenames:
        request.getfixturevalue("target").forget()


@pytest.fixture(scope="package")
def receiver(target: Target, sidecar_before: Callable[..., Sidecar]) -> Iterator[Sidecar]:
    """Two workers. A proxy is set, which leads nowhere: the target is reached without it."""
    with sidecar_before(
        "https://chat.stream-io-api.com",
        WORKERS="2",
        WEBHOOK_TARGET=target.url,
        WEBHOOK_TARGET_TOKEN=TOKEN,
        WEBHOOK_TIMEOUT=str(TIMEOUT),
        UPSTREAM_PROXY="http://127.0.0.1:9",
    ) as running:
        yield running
