"""What `read` makes of tokens: of good ones, of bad ones, and of junk."""

import base64
import hashlib
import hmac
import json
import string
import warnings
from typing import Any

import jwt
import pytest

from chatproxy.errors import TokenExpired, TokenForged, TokenMalformed
from chatproxy.formats.compact_jwt import LONGEST_TOKEN
from chatproxy.signing.tokens import mint, read

KEY = "a-secret-for-tests-of-at-least-32-bytes"
OLD_KEY = "an-older-secret-for-tests-of-32-bytes-or-so"
NOW = 1_800_000_000.0
GOOD: dict[str, Any] = {"user_id": "alice", "app_id": "a", "iat": int(NOW) - 5, "exp": NOW + 60}


def part(content: Any) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(header: Any, payload: Any, key: str = KEY) -> str:
    """A token with any header and payload, signed as HS256 whatever the header says."""
    signing_input = f"{part(header)}.{part(payload)}"
    digest = hmac.new(key.encode(), signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{part(digest)}"


def reading(token: str, now: float = NOW, grace: float = 0) -> dict[str, Any]:
    return read(token, [KEY, OLD_KEY], now, texts=("user_id", "app_id"), grace=grace)


@pytest.mark.parametrize("key", [KEY, OLD_KEY], ids=["first", "being retired"])
def test_each_key_of_the_list_is_accepted(key: str) -> None:
    assert reading(mint(GOOD, key)) == GOOD


@pytest.mark.parametrize(
    "key", [KEY, "short", "schlüssel-ohne-ende-und-mit-umlauten", " \t"], ids=repr
)
@pytest.mark.parametrize(
    "claims",
    [GOOD, {"server": True}, {"sub": "Zoë \u2028 \U0001f600 \ud800", "n": [1, 1.5, None]}, {}],
    ids=["usual", "server", "odd texts", "empty"],
)
def test_a_token_is_the_librarys_own_to_the_byte(claims: dict[str, Any], key: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)
        expected = jwt.encode(claims, key, algorithm="HS256")

    assert [mint(claims, key), mint(claims, key)] == [expected, expected]


@pytest.mark.parametrize(
    "key",
    [
        "",
        '{"kty": "oct", "k": "AAAA"}',
        "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    ],
    ids=repr,
)
def test_what_the_library_takes_for_no_secret_is_refused_each_time(key: str) -> None:
    for _ in range(2):
        with pytest.raises(jwt.InvalidKeyError):
            mint(GOOD, key)


def test_a_token_made_elsewhere_with_a_key_id_is_accepted() -> None:
    assert reading(jwt.encode(GOOD, KEY, headers={"kid": "../../etc/passwd"})) == GOOD


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "NONE"},
        {"alg": "nOnE"},
        {"alg": "HS384"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": "hs256"},
        {"alg": ["HS256"]},
        {"alg": None},
        {},
        {"typ": "JWT"},
        {"alg": "HS256", "jku": "https://evil.example/keys"},
        {"alg": "HS256", "x5u": "https://evil.example/cert"},
        {"alg": "HS256", "x5c": ["MII"]},
        {"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}},
        {"alg": "HS256", "crit": ["exp"], "exp": 1},
        {"alg": "HS256", "b64": False},
        {"alg": "HS256", "zip": "DEF"},
        b'{"alg": "none", "alg": "HS256"}',
        ["HS256"],
        "HS256",
        b"\xff\xfe",
        b"",
    ],
    ids=repr,
)
def test_a_header_that_is_not_ours_is_refused_whoever_signed(header: Any) -> None:
    with pytest.raises(TokenMalformed):
        reading(signed(header, GOOD))


@pytest.mark.parametrize(
    ("claim", "value"),
    [
        ("user_id", ""),
        ("user_id", None),
        ("user_id", 7),
        ("user_id", ["alice"]),
        ("user_id", {"id": "alice"}),
        ("user_id", "x" * 256),
        ("user_id", "a\0b"),
        ("user_id", "a\ud800b"),
        ("app_id", "a\0b"),
        ("jti", 7),
        ("jti", ""),
        ("jti", "a\0b"),
        ("jti", "x" * 256),
        ("exp", 10**400),
        ("iat", -(10**400)),
        ("nbf", 10**400),
        ("app_id", ""),
        ("app_id", 7),
        ("exp", str(int(NOW) + 60)),
        ("exp", [NOW + 60]),
        ("exp", None),
        ("exp", True),
        ("exp", -1),
        ("exp", 2**41),
        ("iat", "yesterday"),
        ("iat", None),
        ("iat", True),
        ("iat", int(NOW) + 3600),
        ("nbf", int(NOW) + 3600),
        ("nbf", "tomorrow"),
    ],
)
def test_a_claim_of_another_kind_is_refused(claim: str, value: Any) -> None:
    with pytest.raises(TokenMalformed):
        reading(mint(GOOD | {claim: value}, KEY))


@pytest.mark.parametrize("claim", ["user_id", "app_id", "iat", "exp"])
def test_a_missing_claim_is_refused(claim: str) -> None:
    with pytest.raises(TokenMalformed):
        reading(mint({name: value for name, value in GOOD.items() if name != claim}, KEY))


@pytest.mark.parametrize(
    "payload",
    [
        b'{"user_id": "alice", "user_id": "mallory", "app_id": "a", "iat": 1, "exp": 2e9}',
        b'{"user_id": "alice", "app_id": "a", "iat": 1, "exp": 1e400}',
        b'{"user_id": "alice", "app_id": "a", "iat": 1, "exp": NaN}',
        b'{"user_id": "alice", "app_id": "a", "iat": 1, "exp": Infinity}',
        b'["alice"]',
        b'"alice"',
        b"null",
        b"{",
        b"\xff\xfe{}",
        b"\xef\xbb\xbf{}",
        b'{"user_id":' + b"[" * 3000 + b"]" * 3000 + b"}",
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_a_payload_that_two_could_read_differently_is_refused(payload: bytes) -> None:
    with pytest.raises(TokenMalformed):
        reading(signed({"alg": "HS256"}, payload))


TOKEN = mint(GOOD, KEY)
HEAD, BODY, SIGNATURE = TOKEN.split(".")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        f"{HEAD}.{BODY}",
        f"{HEAD}.{BODY}.",
        f"{TOKEN}.{SIGNATURE}",
        f"{TOKEN}=",
        f"{HEAD}=.{BODY}.{SIGNATURE}",
        f" {TOKEN}",
        f"{TOKEN}\n",
        f"{HEAD}. {BODY}.{SIGNATURE}",
        TOKEN.replace(".", "%2e"),
        f"{TOKEN}\0",
        f"{HEAD}.{BODY}.é",
        f"{HEAD}.{BODY}+/.{SIGNATURE}",
        f"{HEAD}.{'a' * LONGEST_TOKEN}.{SIGNATURE}",
        json.dumps({"protected": HEAD, "payload": BODY, "signature": SIGNATURE}),
        part(TOKEN.encode()),
        "SELECT * FROM users",
    ],
    ids=lambda token: repr(token[:24]),
)
def test_what_is_no_compact_token_is_refused(token: str) -> None:
    with pytest.raises((TokenMalformed, TokenForged)):
        reading(token)


@pytest.mark.parametrize("place", [0, -1], ids=["first", "last"])
def test_no_other_character_of_the_signature_passes(place: int) -> None:
    """Of the last character two bits mean nothing; a second spelling is refused all the same."""
    for other in set(string.ascii_letters + string.digits + "-_") - {SIGNATURE[place]}:
        characters = list(SIGNATURE)
        characters[place] = other

        with pytest.raises((TokenForged, TokenMalformed)):
            reading(f"{HEAD}.{BODY}.{''.join(characters)}")


def test_another_key_is_a_forgery() -> None:
    with pytest.raises(TokenForged):
        reading(mint(GOOD, "some-other-secret-of-at-least-32-bytes"))


def test_another_users_payload_is_a_forgery() -> None:
    with pytest.raises(TokenForged):
        reading(f"{HEAD}.{part(GOOD | {'user_id': 'bob'})}.{SIGNATURE}")


@pytest.mark.parametrize(("now", "is_good"), [(NOW + 59.9, True), (NOW + 60, False)])
def test_a_token_ends_at_its_end(now: float, is_good: bool) -> None:
    if is_good:
        assert reading(TOKEN, now)
        return

    with pytest.raises(TokenExpired):
        reading(TOKEN, now)


@pytest.mark.parametrize(("late", "is_good"), [(99, True), (100, False)])
def test_a_grace_lets_a_recent_end_pass(late: float, is_good: bool) -> None:
    now = NOW + 60 + late

    if is_good:
        assert reading(TOKEN, now, grace=100)
        return

    with pytest.raises(TokenExpired):
        reading(TOKEN, now, grace=100)


def test_a_refusal_does_not_repeat_the_token() -> None:
    with pytest.raises(TokenForged) as refused:
        reading(mint(GOOD, "some-other-secret-of-at-least-32-bytes"))

    assert HEAD not in refused.value.message + refused.value.detail


#: For each last character of 43 the one that differs only in bits that no byte uses.
SAME_BITS = dict(zip("AEIMQUYcgkosw048", "BFJNRVZdhlptx159", strict=True))


@pytest.mark.parametrize(
    "spelt",
    [
        "{header}.{payload}.{other}",
        "{header}.{payload}=.{signature}",
        "{header}.{payload}+.{signature}",
        "{header}.{payload}.{payload}.{signature}",
        "{header}.{payload}.{signature}=",
        "{header}.{payload}.{signature}\n",
        "{header}..{signature}",
        "{header}.{payload}",
    ],
)
def test_each_token_has_one_spelling_whatever_the_library_takes(
    spelt: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else one token would have several texts, each counted and remembered by itself."""
    header, payload, signature = mint(GOOD, KEY).split(".")
    token = spelt.format(
        header=header,
        payload=payload,
        signature=signature,
        other=signature[:-1] + SAME_BITS[signature[-1]],
    )
    asked: list[Any] = []
    monkeypatch.setattr(jwt.PyJWS, "decode_complete", lambda *given, **_: asked.append(given))

    with pytest.raises(TokenMalformed):
        reading(token)

    assert asked == []


def test_a_token_that_is_too_long_is_not_looked_into() -> None:
    token = mint(GOOD | {"more": "x" * LONGEST_TOKEN}, KEY)

    with pytest.raises(TokenMalformed):
        reading(token)


def test_what_the_library_refuses_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have reasons, in a later version, that are not looked for here."""

    def refuse(*_: Any, **__: Any) -> None:
        raise jwt.DecodeError("no")

    monkeypatch.setattr(jwt.PyJWS, "decode_complete", refuse)

    with pytest.raises(TokenMalformed):
        reading(mint(GOOD, KEY))


@pytest.mark.parametrize("alg", ["none", "HS512", "RS256", "", None, 1])
def test_the_algorithm_is_never_the_tokens_choice(
    alg: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(jwt.PyJWS, "decode_complete", lambda *given, **_: asked.append(given))

    with pytest.raises(TokenMalformed):
        reading(signed({"alg": alg, "typ": "JWT"}, GOOD))

    assert asked == []


def test_a_token_may_have_an_id() -> None:
    assert reading(mint(GOOD | {"jti": "1-a"}, KEY))["jti"] == "1-a"
