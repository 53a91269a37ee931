"""`chatproxy token` and `webhook`: as the sidecar makes and checks them."""

import gzip
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import jwt
import pytest

from tests import commands
from tests.sidecar import bare_environ

OLD, NEW = "canary-old-" + "o" * 60, "canary-new-" + "n" * 60
SECRETS = {
    "STREAM_API_KEY": "key",
    "STREAM_API_SECRET": f"{NEW},{OLD}",
    "CHATSDK_JWT_SECRET": "canary-j" + "j" * 40,
    "CENTRIFUGO_TOKEN_SECRET": "canary-c" + "c" * 40,
    "KEY_SIGNING_SECRET": "canary-k" + "k" * 40,
    "PERFORMCHAT_JWT_SECRET": "canary-p" + "p" * 40,
    "IMBACHAT_API_PASSWORD": "canary-password",
    "IMBACHAT_SECRET_KEY": "canary-i" + "i" * 40,
    "PROVIDERS": "stream,chatsdk,performchat,imkit,imbachat",
}
USERS = {"stream": "alice", "chatsdk": "bob", "performchat": "eve", "imkit": "c", "imbachat": "7"}
ENDED_HERE = ("chatsdk", "performchat", "imkit")


@pytest.fixture(scope="module")
def environ(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("tokens")
    environ = bare_environ() | SECRETS | {"DATABASE_URL": f"sqlite:///{folder}/d.db"}
    commands.answer(environ, "agents", "create", "Agent", "--id", "agent")
    return environ


def inspected(environ: dict[str, str], token: str, *, code: int) -> dict[str, Any]:
    done = commands.run(environ, "token", "inspect", "--json", stdin=f"{token}\n")
    assert done.returncode == code, done
    assert "canary" not in done.stdout + done.stderr
    assert token not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert found["valid"] is (code == 0)
    assert bool(found["reason"]) is (code == 1)
    return found


def minted(environ: dict[str, str], provider: str, *arguments: str) -> dict[str, Any]:
    user = USERS[provider]
    made: dict[str, Any] = commands.answer(
        environ, "token", "mint", user, "--provider", provider, *arguments
    )
    return made


@pytest.mark.parametrize("provider", USERS)
def test_what_is_made_is_valid_and_says_whose_it_is(provider: str, environ: dict[str, str]) -> None:
    made = minted(environ, provider, "--expires-in", "10m")
    found = inspected(environ, made["token"], code=0)

    assert (found["provider"], found["userId"]) == (provider, USERS[provider])
    assert made["expiresIn"] == 600
    assert 500 < found["expiresIn"] <= 600
    assert found["revoked"] is (False if provider in ENDED_HERE else None)


@pytest.mark.parametrize("provider", USERS)
def test_a_person_gets_the_token_alone(provider: str, environ: dict[str, str]) -> None:
    done = commands.run(environ, "token", "mint", USERS[provider], "--provider", provider)
    names = [line.partition(": ")[0] for line in done.stdout.splitlines()]

    assert done.returncode == 0
    assert names == ["token", "wsToken"] if provider == "chatsdk" else len(names) == 1


@pytest.mark.parametrize("provider", ENDED_HERE)
def test_one_token_is_ended_and_others_stay(provider: str, environ: dict[str, str]) -> None:
    # At one of them a new token takes the place of the one before.
    first = minted(environ, provider)["token"]
    done = commands.run(environ, "token", "revoke", "-", "--json", stdin=first)
    second = minted(environ, provider)["token"]

    assert json.loads(done.stdout)["provider"] == provider
    assert inspected(environ, first, code=1)["revoked"] in (True, None)
    assert inspected(environ, second, code=0)["valid"]
    commands.answer(environ, "token", "revoke", "--user", USERS[provider])
    assert inspected(environ, second, code=1)["revoked"] is True


@pytest.mark.parametrize("provider", ["stream", "imbachat"])
def test_what_only_the_vendor_checks_is_not_said_to_be_ended(
    provider: str, environ: dict[str, str]
) -> None:
    token = minted(environ, provider)["token"]
    done = commands.run(environ, "token", "revoke", "-", stdin=token)

    assert (done.returncode, done.stdout) == (1, "")
    assert "It cannot be ended here." in done.stderr
    assert "alone checks them" in inspected(environ, token, code=0)["note"]


def test_which_secret_signed_it_is_said(environ: dict[str, str]) -> None:
    now = 4_000_000_000
    old = jwt.encode({"user_id": "a", "exp": now}, OLD, algorithm="HS256")

    assert inspected(environ, minted(environ, "stream")["token"], code=0)["signedBy"] == (
        "STREAM_API_SECRET (1 of 2)"
    )
    assert inspected(environ, old, code=0)["signedBy"] == "STREAM_API_SECRET (2 of 2)"


def test_both_tokens_of_a_pair_are_told_apart(environ: dict[str, str]) -> None:
    made = minted(environ, "chatsdk")

    assert inspected(environ, made["wsToken"], code=0)["kind"] == "wsToken"
    assert inspected(environ, f"Bearer {made['token']}", code=0)["kind"] == "token"


def hs256(claims: dict[str, Any], secret: str = NEW) -> str:
    return jwt.encode(claims, secret, algorithm="HS256")


BAD = {
    "ended": (hs256({"user_id": "a", "iat": 1, "exp": 2}), "Token expired"),
    "from the future": (hs256({"user_id": "a", "iat": 4_000_000_000}), "from the future"),
    "an end that is none": (hs256({"user_id": "a", "exp": "soon"}), "a time is missing"),
    "an end that no clock has": (hs256({"user_id": "a", "exp": 10**400}), "a time is missing"),
    "nobody's": (hs256({"iat": 1}), "names no user"),
    "another secret": (hs256({"user_id": "a"}, "x" * 40), "no secret here signed it"),
    "no algorithm": (jwt.encode({"user_id": "a"}, None, algorithm="none"), "no secret here"),
    "another algorithm": (jwt.encode({"user_id": "a"}, NEW, algorithm="HS512"), "no secret here"),
    "a header with a key": (
        jwt.encode({"user_id": "a"}, NEW, algorithm="HS256", headers={"jku": "x"}),
        "no secret here",
    ),
    "cut": (hs256({"user_id": "a"})[:-3], "no secret here"),
    "two parts": ("a.b", "no secret here"),
    "nonsense": ("\x00\x1b[31m", "no secret here"),
    "no UTF-8": ("\udcff", "no secret here"),
    "long": ("a" * 100_000, "no secret here"),
    "opaque": ("it_nothing.signature", "no secret here"),
}


@pytest.mark.parametrize("name", BAD)
def test_why_a_token_is_not_valid(name: str, environ: dict[str, str]) -> None:
    token, said = BAD[name]
    stdin = token.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    found = inspected(environ, stdin, code=1)

    assert said in found["reason"]


def test_a_server_token_is_called_one(environ: dict[str, str]) -> None:
    assert inspected(environ, hs256({"server": True}), code=0)["kind"] == "server token"


def test_no_token_is_no_token(environ: dict[str, str]) -> None:
    for stdin in ("", "\n", "Bearer \n"):
        done = commands.run(environ, "token", "inspect", stdin=stdin)
        assert (done.returncode, done.stdout) == (1, "")
        assert "there is no token on stdin" in done.stderr


def test_claims_of_ones_own(environ: dict[str, str]) -> None:
    made = minted(
        environ,
        "stream",
        "--claim",
        'channel_cids=["a:b"]',
        "--claim",
        "plan=pro",
        "--claim",
        "n=1",
    )
    claims = jwt.decode(made["token"], NEW, algorithms=["HS256"])

    assert (claims["channel_cids"], claims["plan"], claims["n"]) == (["a:b"], "pro", 1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("a b",),
        ("",),
        ("alice", "--claim", "server=true"),
        ("alice", "--claim", "exp=1"),
        ("alice", "--claim", "user_id=root"),
        ("alice", "--claim", "nothing"),
        ("alice", "--app", "default"),
        ("alice", "--expires-in", "0s"),
        ("alice", "--expires-in", "9999d"),
        ("alice", "--provider", "nobody"),
        ("007", "--provider", "imbachat"),
        ("7", "--provider", "imbachat", "--expires-in", "31d"),
        ("bob", "--provider", "chatsdk", "--app", "nowhere"),
        ("bob", "--provider", "chatsdk", "--claim", "a=1"),
        ("eve", "--provider", "performchat", "--agent", "nobody"),
        ("eve", "--provider", "performchat", "--expires-in", "31d"),
        ("c", "--provider", "imkit", "--app", "default"),
        ("x" * 300, "--provider", "chatsdk"),
        ("a\ud800", "--provider", "chatsdk"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_made_is_refused(
    arguments: tuple[str, ...], environ: dict[str, str]
) -> None:
    done = commands.finished(
        [*commands.PROGRAM, "token", "mint", *(os_text(one) for one in arguments)], environ
    )

    assert done.returncode in (1, 2)
    assert done.stdout == ""
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr


def os_text(text: str) -> str:
    return text.replace("\ud800", "\udced")  # bytes that are no UTF-8, as an argument


def test_the_former_name_of_the_group_works_and_is_not_listed(environ: dict[str, str]) -> None:
    assert commands.answer(environ, "tokens", "revoke", "--id", "x")["revoked"] is True
    assert "\n  tokens" not in commands.run(environ, "--help").stdout


BODY = b'{"type":"message.new","text":"a<b \xc3\xa9"}'


def signed(body: bytes, secret: str = NEW) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize("body", [BODY, b"", b"\x00\xff", b"x" * 1_000_000], ids=len)
def test_an_event_is_signed_as_the_provider_does(
    body: bytes, environ: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "event"
    path.write_bytes(body)
    made = commands.answer(environ, "webhook", "sign", str(path))
    done = commands.run(environ, "webhook", "sign", str(path))

    assert made["headers"] == {"X-Signature": signed(body), "X-Api-Key": "key"}
    assert done.stdout == f"X-Signature: {signed(body)}\nX-Api-Key: key\n"
    assert verified(environ, path, signed(body))["isValid"] is True
    assert verified(environ, path, signed(body, OLD))["isValid"] is True


def test_a_compressed_event_is_signed_as_what_is_in_it(
    environ: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "event"
    path.write_bytes(gzip.compress(BODY))

    made = commands.answer(environ, "webhook", "sign", str(path))
    assert made["headers"]["X-Signature"] == signed(BODY)
    assert verified(environ, path, signed(BODY))["isValid"] is True


def verified(environ: dict[str, str], path: Path, signature: str) -> dict[str, Any]:
    done = commands.run(
        environ, "webhook", "verify", str(path), f"--signature={signature}", "--json"
    )
    assert "canary" not in done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if found["isValid"] else 1)
    return found


REASONS = [
    (BODY, "", "there is no signature"),
    (BODY, "x", "not 64 hexadecimal digits"),
    (BODY, signed(BODY).upper(), "upper case"),
    (BODY, "sha256=" + signed(BODY), "not 64 hexadecimal digits"),
    (BODY, signed(BODY, "z" * 40), "none of the 2 secrets made this signature"),
    (BODY + b"\n", signed(BODY), "a line end was added"),
    (b"\xef\xbb\xbf" + BODY, signed(BODY), "a byte order mark was added"),
    (b'{"a":1,\r\n"b":2}', signed(b'{"a":1,\n"b":2}'), "its line ends were changed"),
    (json.dumps(json.loads(BODY)).encode(), signed(BODY), "parsed and written anew"),
    (BODY, signed(BODY.replace(b"<", b"\\u003c")), "parsed and written anew"),
]


@pytest.mark.parametrize(("body", "signature", "said"), REASONS, ids=[one[2] for one in REASONS])
def test_why_a_signature_is_not_right(
    body: bytes, signature: str, said: str, environ: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "event"
    path.write_bytes(body)

    assert said in verified(environ, path, signature)["reason"]


def test_a_provider_without_webhooks_says_so(environ: dict[str, str]) -> None:
    done = commands.run(environ, "webhook", "sign", "--provider", "imkit", stdin="{}")

    assert done.returncode == 1
    assert "imkit sends no webhooks that are signed" in done.stderr
