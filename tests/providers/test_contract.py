"""One contract for all providers: each that has a capability passes the same cases.

A new provider adds its lines to the tables below; a test says where one is missing.
"""

import dataclasses
import datetime
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from chatproxy.providers import SETTINGS
from sandbox import SERVED
from tests import commands
from tests.calls import Reply, call
from tests.databases import KINDS, new_directory
from tests.sidecar import Sidecar

OFTEN = "100000 per minute"
#: Each list is `new, old`: the second is being retired.
SECRETS = {
    name: (
        f"{name.lower()}-new-secret-of-32-bytes-or-more",
        f"{name.lower()}-old-secret-of-32-bytes",
    )
    for name in (
        "STREAM_API_SECRET",
        "CHATSDK_JWT_SECRET",
        "CENTRIFUGO_TOKEN_SECRET",
        "PERFORMCHAT_JWT_SECRET",
    )
}
IMBACHAT_SECRET = "imbachat-secret-key-of-32-bytes-or-more"
ENVIRON = {
    "PROVIDERS": ",".join(SETTINGS),
    "STREAM_API_KEY": "key",
    "EXPIRATION_TOKEN_DURATION": "3600",
    "KEY_SIGNING_SECRET": "key-signing-secret-of-32-bytes-or-more",
    "IMBACHAT_API_LOGIN": "login",
    "IMBACHAT_API_PASSWORD": "password",
    "IMBACHAT_SECRET_KEY": IMBACHAT_SECRET,
    "IMBACHAT_DEV_ID": "7",
    "IMBACHAT_BASE_URL": "http://127.0.0.1:1",
    "TOKEN_RATE_LIMIT": OFTEN,
    "AUTH_FAILURE_LIMIT": OFTEN,
    "PERFORMCHAT_TOKEN_RATE_LIMIT": OFTEN,
    **{name: ",".join(texts) for name, texts in SECRETS.items()},
}


@dataclasses.dataclass
class World:
    """A sidecar with every provider on, and one app with a key and an agent."""

    sidecar: Sidecar
    key: dict[str, str]

    def post(self, path: str, *fields: str, body: Any = None) -> Reply:
        return call(self.sidecar.port, "POST", path, *fields, body=body)

    def get(self, path: str, *fields: str) -> Reply:
        return call(self.sidecar.port, "GET", path, *fields)

    @property
    def api_key(self) -> str:
        return f"X-API-Key: {self.key['apiKey']}"

    @property
    def halves(self) -> dict[str, str]:
        return {"keyId": self.key["keyId"], "keySecret": self.key["keySecret"]}


@pytest.fixture(scope="module", params=KINDS)
def world(
    request: pytest.FixtureRequest, output_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    with new_directory(request.param, tmp_path_factory.mktemp("contract")) as url:
        environ = ENVIRON | {"DATABASE_URL": url}
        sidecar = Sidecar(output_folder / f"contract-{request.param}.log", environ)

        with sidecar:
            key = commands.answer(sidecar.environ, "keys", "create", "contract")
            commands.answer(sidecar.environ, "agents", "create", "Agent", "--id", "agent")
            yield World(sidecar, key)


def chatsdk_tokens(world: World, user_id: str) -> dict[str, Any]:
    found: dict[str, Any] = world.post("/tokens", world.api_key, body={"userId": user_id}).json
    return found


def performchat_token(world: World, user_id: str) -> dict[str, Any]:
    body = world.halves | {"userId": user_id}
    found: dict[str, Any] = world.post("/rest/v1/auth/token", body=body).json
    return found


def imkit_client(world: World, user_id: str) -> dict[str, Any]:
    body = {"_id": user_id, "issueAccessToken": True}
    key = f"IM-API-KEY: {world.key['apiKey']}"
    found: dict[str, Any] = world.post("/imkit/admin/clients", key, body=body).json["result"]
    return found


@dataclasses.dataclass(frozen=True)
class Issuer:
    """A kind of token: how it is had, which secret signs it, which claim names the user.

    One without a secret is found by look-up: nothing can be read in it.
    """

    issue: Callable[[World, str], str]
    secret: str | None = None
    user: Callable[[dict[str, Any]], str] | None = None


ISSUERS: dict[str, Issuer] = {
    "stream": Issuer(
        lambda world, user_id: str(world.get(f"/token/{user_id}").json["token"]),
        SECRETS["STREAM_API_SECRET"][0],
        lambda claims: claims["user_id"],
    ),
    "chatsdk": Issuer(
        lambda world, user_id: str(chatsdk_tokens(world, user_id)["token"]),
        SECRETS["CHATSDK_JWT_SECRET"][0],
        lambda claims: claims["user_id"],
    ),
    "chatsdk ws": Issuer(
        lambda world, user_id: str(chatsdk_tokens(world, user_id)["wsToken"]),
        SECRETS["CENTRIFUGO_TOKEN_SECRET"][0],
        lambda claims: claims["sub"],
    ),
    "performchat": Issuer(
        lambda world, user_id: str(performchat_token(world, user_id)["token"]),
        SECRETS["PERFORMCHAT_JWT_SECRET"][0],
        lambda claims: claims["externalId"],
    ),
    "imkit": Issuer(lambda world, user_id: str(imkit_client(world, user_id)["token"])),
    "imbachat": Issuer(
        lambda world, user_id: str(world.get(f"/imbachat/token/{user_id}").json["token"]),
        IMBACHAT_SECRET,
        lambda claims: str(claims["user_id"]),
    ),
}


@dataclasses.dataclass(frozen=True)
class Checker:
    """A token that can be checked here: how, with which secrets, and how its user's are ended.

    `secrets` is None where it is found by look-up.
    """

    check: Callable[[World, str], Reply]
    secrets: tuple[str, str] | None
    revoke: Callable[[World, str], Reply]
    shape: Callable[[Any], Any]


def bearer(token: str) -> str:
    return f"Authorization: Bearer {token}"


def revoke_chatsdk(world: World, user_id: str) -> Reply:
    return world.post(f"/api/users/{user_id}/revoke-tokens", world.api_key)


def revoke_imkit(world: World, user_id: str) -> Reply:
    key = f"IM-API-KEY: {world.key['apiKey']}"
    return call(world.sidecar.port, "DELETE", f"/imkit/admin/clients/{user_id}/token", key)


def invalidate_performchat(world: World, user_id: str) -> Reply:
    internal = performchat_token(world, user_id)["user"]["id"]
    body = world.halves | {"customerUserId": internal}
    return world.post("/rest/v1/auth/invalidate-token", body=body)


CHECKERS: dict[str, Checker] = {
    "chatsdk": Checker(
        lambda world, token: world.get("/tokens/validate", bearer(token)),
        SECRETS["CHATSDK_JWT_SECRET"],
        revoke_chatsdk,
        lambda said: (sorted(said), sorted(said["error"])),
    ),
    "chatsdk ws": Checker(
        lambda world, token: world.get("/tokens/validate-ws", bearer(token)),
        SECRETS["CENTRIFUGO_TOKEN_SECRET"],
        revoke_chatsdk,
        lambda said: (sorted(said), sorted(said["error"])),
    ),
    "performchat": Checker(
        lambda world, token: world.post("/rest/v1/auth/verify", bearer(token)),
        SECRETS["PERFORMCHAT_JWT_SECRET"],
        invalidate_performchat,
        lambda said: (sorted(said), said["statusCode"], said["error"]),
    ),
    "imkit": Checker(
        lambda world, token: world.post("/imkit/verify", body={"token": token}),
        None,
        revoke_imkit,
        lambda said: (sorted(said), said["RC"], said["error"]["code"]),
    ),
}

#: Providers whose tokens are checked by somebody else, and why they are never checked here.
ISSUE_ONLY = {"stream": "by Stream", "imbachat": "by imbachat.com"}

SIGNED = [kind for kind, issuer in ISSUERS.items() if issuer.secret is not None]

every_issuer = pytest.mark.parametrize("kind", SIGNED)
every_checker = pytest.mark.parametrize("kind", CHECKERS)
every_checker_of_signed = pytest.mark.parametrize("kind", [k for k in CHECKERS if k in SIGNED])


def resigned(token: str, secret: str, **changes: Any) -> str:
    claims = jwt.decode(token, options={"verify_signature": False}) | changes
    return jwt.encode(claims, secret, "HS256")


def test_every_provider_has_its_lines() -> None:
    issuing = {kind.partition(" ")[0] for kind in ISSUERS}
    checking = {kind.partition(" ")[0] for kind in CHECKERS}

    assert issuing == set(SETTINGS)
    assert checking == set(SETTINGS) - set(ISSUE_ONLY)
    assert set(SERVED) == set(SETTINGS)


@every_issuer
def test_a_token_names_its_user_and_ends(world: World, kind: str) -> None:
    issuer = ISSUERS[kind]
    assert issuer.secret is not None
    assert issuer.user is not None
    token = issuer.issue(world, "41")
    claims = jwt.decode(token, issuer.secret, algorithms=["HS256"])

    assert issuer.user(claims) == "41"
    assert time.time() < claims["exp"] <= time.time() + 86400
    assert len(token) < 8192


@every_issuer
def test_no_other_secret_signed_it(world: World, kind: str) -> None:
    token = ISSUERS[kind].issue(world, "41")
    signing = {issuer.secret for issuer in ISSUERS.values() if issuer.secret is not None}
    secrets = signing - {ISSUERS[kind].secret}

    for other in secrets:
        with pytest.raises(jwt.InvalidSignatureError):
            jwt.decode(token, other, algorithms=["HS256"])


def test_a_token_that_is_found_by_look_up_names_its_user_and_ends(world: World) -> None:
    made = imkit_client(world, "41")
    end = datetime.datetime.fromisoformat(made["expirationDate"]).timestamp()

    assert world.post("/imkit/verify", body={"token": made["token"]}).json["id"] == "41"
    assert time.time() < end <= time.time() + 7 * 86400
    assert len(made["token"]) < 8192


@every_checker
def test_a_round_trip(world: World, kind: str) -> None:
    token = ISSUERS[kind].issue(world, "round")

    assert CHECKERS[kind].check(world, token).status == 200


@every_checker_of_signed
def test_a_token_of_the_secret_being_retired_is_good(world: World, kind: str) -> None:
    token = ISSUERS[kind].issue(world, "rotated")
    secrets = CHECKERS[kind].secrets
    assert secrets is not None
    _, old = secrets

    assert CHECKERS[kind].check(world, resigned(token, old)).status == 200


def bad_tokens(world: World, kind: str) -> dict[str, str]:
    """Every way in which a token can be bad."""
    good = ISSUERS[kind].issue(world, "bad")
    secrets = CHECKERS[kind].secrets
    others = {f"a {name}": ISSUERS[name].issue(world, "41") for name in ISSUERS if name != kind}

    if secrets is None:
        return others | {
            "cut": good[:-1],
            "longer": f"{good}x",
            "junk": "junk",
            "its name alone": good.partition(".")[0],
            "long": "a" * 7800,
        }

    secret, _ = secrets
    header, payload, signature = good.split(".")
    return others | {
        "expired": resigned(good, secret, iat=1, exp=2),
        "forged": resigned(good, "a-secret-of-somebody-else-32-bytes-long"),
        "without an end": resigned(good, secret, exp=None),
        "unsigned": jwt.encode({"user_id": "bad"}, None, "none"),
        "cut": f"{header}.{payload}",
        "junk": "junk",
        "long": f"{header}.{'a' * 7800}.{signature}",
    }


@every_checker
def test_a_bad_token_is_401_in_one_shape(world: World, kind: str) -> None:
    checker = CHECKERS[kind]
    replies = {name: checker.check(world, token) for name, token in bad_tokens(world, kind).items()}

    assert {name: reply.status for name, reply in replies.items()} == dict.fromkeys(replies, 401)
    assert len({repr(checker.shape(reply.json)) for reply in replies.values()}) == 1


@every_checker
def test_a_revoked_token_is_401_and_a_new_one_is_good(world: World, kind: str) -> None:
    user_id = f"revoked-{kind.replace(' ', '-')}"
    old = ISSUERS[kind].issue(world, user_id)
    assert CHECKERS[kind].revoke(world, user_id).status == 200
    new = ISSUERS[kind].issue(world, user_id)

    assert CHECKERS[kind].check(world, old).status == 401
    assert CHECKERS[kind].check(world, new).status == 200


def test_one_person_has_one_end(world: World) -> None:
    """The providers share the users of an app: what ends them for one ends them for all."""
    kinds = ("chatsdk", "chatsdk ws", "performchat", "imkit")
    tokens = {kind: ISSUERS[kind].issue(world, "person") for kind in kinds}
    revoke_chatsdk(world, "person")

    assert {CHECKERS[kind].check(world, tokens[kind]).status for kind in kinds} == {401}


@pytest.mark.parametrize("name", sorted(set(SETTINGS) - {"stream"}))
def test_forwarding_without_a_server_is_a_clear_503_or_goes_out(world: World, name: str) -> None:
    reply = world.get(f"/{name}/proxy/x")

    assert reply.status in (502, 503, 504), reply.json
    assert reply.json
