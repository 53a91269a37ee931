"""What is counted of tokens, webhooks and limits, for each provider, in a real server."""

import hashlib
import hmac
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chatproxy.providers import SETTINGS
from tests import commands
from tests.databases import new_directory
from tests.mounted import wait_for
from tests.providers.imkit.rawsocket import entered
from tests.providers.test_contract import CHECKERS, ENVIRON, ISSUERS, SECRETS, World, bad_tokens
from tests.scraping import scrape
from tests.sidecar import Sidecar


@pytest.fixture(scope="module")
def world(output_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with new_directory("sqlite", tmp_path_factory.mktemp("counted")) as url:
        sidecar = Sidecar(output_folder / "counted.log", ENVIRON | {"DATABASE_URL": url})

        with sidecar:
            key = commands.answer(sidecar.environ, "keys", "create", "counted")
            commands.answer(sidecar.environ, "agents", "create", "Agent", "--id", "agent")
            yield World(sidecar, key)


@pytest.fixture
def grown(world: World) -> Callable[..., float]:
    """How much a counter has grown since the test began."""
    before = scrape(world.sidecar.port)

    def grown(name: str, **labels: str) -> float:
        return scrape(world.sidecar.port).value(name, **labels) - before.value(name, **labels)

    return grown


@pytest.mark.parametrize("kind", ISSUERS)
def test_a_minted_token(world: World, grown: Callable[..., float], kind: str) -> None:
    ISSUERS[kind].issue(world, "41")

    assert grown("chatproxy_tokens_minted_total", provider=kind.partition(" ")[0]) == 1
    assert grown("chatproxy_tokens_minted_total") == 1


@pytest.mark.parametrize("kind", CHECKERS)
def test_refused_and_revoked_tokens(world: World, grown: Callable[..., float], kind: str) -> None:
    provider, checker = kind.partition(" ")[0], CHECKERS[kind]
    bad = bad_tokens(world, kind)

    for token in bad.values():
        assert checker.check(world, token).status == 401

    assert grown("chatproxy_tokens_refused_total", provider=provider) == len(bad)
    assert grown("chatproxy_authentication_failures_total", provider=provider) == len(bad)

    if checker.secrets is not None:
        for reason in ("forged", "malformed", "expired"):
            assert grown("chatproxy_tokens_refused_total", reason=reason) > 0

    token = ISSUERS[kind].issue(world, "revoked")
    assert checker.revoke(world, "revoked").status == 200
    assert checker.check(world, token).status == 401
    assert grown("chatproxy_token_revocations_total", provider=provider) == 1
    reason = "unknown" if kind == "imkit" else "revoked"  # IMKit's rows go with the revocation
    assert grown("chatproxy_tokens_refused_total", provider=provider, reason=reason) > 0


def test_every_provider_is_there_before_anything_happens(world: World) -> None:
    found = scrape(world.sidecar.port)
    providers = {
        has["provider"] for name, has, _ in found.samples if name == "chatproxy_tokens_minted_total"
    }

    assert providers == set(SETTINGS)
    assert found.values_of("limit") == {"tokens", "failures", "caller"}
    assert found.values_of("work") == {"read", "write", "optional", "read-only"}


@pytest.mark.parametrize(("signature", "verdict"), [("good", "valid"), ("bad", "invalid")])
def test_a_webhook(world: World, grown: Callable[..., float], signature: str, verdict: str) -> None:
    secret = SECRETS["STREAM_API_SECRET"][0].encode()
    good = hmac.new(secret, b"{}", hashlib.sha256).hexdigest()
    body = {"rawBody": "{}", "signature": good if signature == "good" else "00"}
    assert world.post("/webhook/verify", body=body).json == {"isValid": verdict == "valid"}

    labels = {"provider": "stream", "verdict": verdict}
    assert grown("chatproxy_webhook_verdicts_total", **labels) == 1
    assert grown("chatproxy_webhook_verdicts_total") == 1


def test_a_bad_key_in_each_surfaces_words(world: World, grown: Callable[..., float]) -> None:
    """IMKit answers 403 to some of them."""
    for number, (path, *fields) in enumerate(
        (
            ("/tokens", "X-API-Key: pk_bad.sk_bad"),
            ("/imkit/admin/clients", "IM-API-KEY: pk_bad.sk_bad"),
            ("/imkit/me", "IM-Client-Key: ck_bad", "IM-Authorization: junk"),
        ),
        start=1,
    ):
        reply = world.post(path, *fields, body={"userId": "a", "_id": "a"})
        assert reply.status in (401, 403), (path, reply.json)
        assert grown("chatproxy_authentication_failures_total") == number, path


def test_a_bad_token_on_a_socket(world: World, grown: Callable[..., float]) -> None:
    """It is answered by an event; the request of the socket itself has no error."""
    with entered(world.sidecar.port) as socket:
        assert socket.ask("auth", "junk")["error"]["code"] == "INVALID_TOKEN"

    assert grown("chatproxy_tokens_refused_total", provider="imkit", reason="unknown") == 1
    assert grown("chatproxy_authentication_failures_total", provider="imkit") == 1


def test_limits(output_folder: Path, tmp_path: Path) -> None:
    limits = {
        "TOKEN_RATE_LIMIT": "2 per hour",
        "AUTH_FAILURE_LIMIT": "2 per hour",
        "PERFORMCHAT_TOKEN_RATE_LIMIT": "2 per hour",
    }

    with new_directory("sqlite", tmp_path) as url:
        environ = ENVIRON | limits | {"DATABASE_URL": url}

        with Sidecar(output_folder / "limited.log", environ) as sidecar:
            key = commands.answer(sidecar.environ, "keys", "create", "limited")
            commands.answer(sidecar.environ, "agents", "create", "Agent", "--id", "agent")
            world = World(sidecar, key)

            for _ in range(3):
                world.post("/tokens", world.api_key, body={"userId": "a"})
                world.post("/rest/v1/auth/token", body=world.halves | {"userId": "a"})
                world.get("/tokens/validate", "Authorization: Bearer junk")

            wait_for(lambda: scrape(sidecar.port).value("chatproxy_limit_hits_total") == 3)
            found = scrape(sidecar.port)
            assert found.value("chatproxy_limit_hits_total", limit="tokens") == 2
            assert found.value("chatproxy_limit_hits_total", limit="failures") == 1
            # The refusal that was answered 429 is one as well.
            assert found.value("chatproxy_tokens_refused_total", provider="chatsdk") == 3
            assert found.value("chatproxy_authentication_failures_total", provider="chatsdk") == 3
            assert found.value("chatproxy_tokens_minted_total", provider="chatsdk") == 2
