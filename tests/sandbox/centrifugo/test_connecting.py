"""What becomes of a client that connects with a token."""

from typing import Any

import jwt
import pytest

from sandbox.centrifugo import TOKEN_SECRET, ConnectionRules
from sandbox.centrifugo.connecting import (
    BAD_REQUEST,
    DENIED,
    EXPIRED,
    INVALID,
    UNKNOWN_CHANNEL,
    Outcome,
)

NOW = 1_800_000_000
OTHER_SECRET = "another-secret-of-more-than-32-characters"
RULES = ConnectionRules((TOKEN_SECRET, OTHER_SECRET))


def token(secret: str = TOKEN_SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode(claims, secret, algorithm)


def connect(rules: ConnectionRules = RULES, **claims: Any) -> Outcome:
    return rules.connect(token(**{"sub": "ann", **claims}), NOW)


@pytest.mark.parametrize(
    ("claims", "expires_at"),
    [
        ({}, None),
        ({"exp": NOW + 60}, NOW + 60),
        ({"exp": NOW + 60, "expire_at": NOW + 9}, NOW + 9),
        ({"exp": NOW + 60, "expire_at": 0}, None),
        ({"nbf": NOW - 1, "iat": NOW + 60}, None),
        ({"app_id": "default", "user_id": 7, "jti": "a", "kid": []}, None),
        ({"aud": "somebody", "iss": "somebody"}, None),
        ({"channel": "", "channels": ["chat:a", "plain"]}, None),
        ({"subs": {"chat:a": {}}, "channels": ["secret:a"]}, None),
        ({"exp": None, "aud": None}, None),
    ],
)
def test_a_good_token_connects(claims: dict[str, Any], expires_at: int | None) -> None:
    outcome = connect(**claims)
    assert (outcome.code, outcome.user, outcome.expires_at) == (0, "ann", expires_at)


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({"exp": NOW}, EXPIRED),
        ({"exp": NOW - 1}, EXPIRED),
        ({"nbf": NOW}, EXPIRED),
        ({"nbf": NOW + 1}, EXPIRED),
        ({"expire_at": NOW - 1}, EXPIRED),
        ({"channel": "chat:a"}, INVALID),
        ({"channel": "chat:a", "exp": NOW - 1}, INVALID),
        ({"sub": 7}, INVALID),
        ({"exp": "soon"}, INVALID),
        ({"exp": True}, INVALID),
        ({"exp": float("nan")}, INVALID),
        ({"nbf": "1"}, INVALID),
        ({"jti": 7}, INVALID),
        ({"aud": 7}, INVALID),
        ({"expire_at": 1.5}, INVALID),
        ({"channels": "chat:a"}, INVALID),
        ({"subs": ["chat:a"]}, INVALID),
        ({"channels": ["secret:a"]}, UNKNOWN_CHANNEL),
        ({"subs": {"secret:a": {}}}, UNKNOWN_CHANNEL),
    ],
)
def test_a_claim_can_be_in_the_way(claims: dict[str, Any], outcome: Outcome) -> None:
    assert connect(**claims) == outcome


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("", BAD_REQUEST),
        ("junk", INVALID),
        ("\ud800", INVALID),
        ("W1tb" * 5_000 + ".e30.e30", INVALID),
        (token("a-secret-that-nobody-here-has-ever-seen", sub="ann"), INVALID),
        (token("a-secret-that-nobody-here-has-ever-seen", sub="ann", exp=NOW - 1), INVALID),
        (token(algorithm="HS384", sub="ann"), INVALID),
        (token("", "none", sub="ann"), INVALID),
        (f"Bearer {token(sub='ann')}", INVALID),
    ],
)
def test_what_is_no_token_of_ours_ends_for_good(text: str, outcome: Outcome) -> None:
    assert RULES.connect(text, NOW) == outcome


def test_each_secret_is_accepted() -> None:
    assert RULES.connect(token(OTHER_SECRET, sub="ann"), NOW).user == "ann"


@pytest.mark.parametrize("claims", [{}, {"sub": ""}])
def test_an_empty_user_is_anonymous_where_that_is_allowed(claims: dict[str, Any]) -> None:
    assert RULES.connect(token(**claims), NOW).user == ""

    strict = ConnectionRules((TOKEN_SECRET,), anonymous=False)
    assert strict.connect(token(**claims), NOW) == DENIED


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"aud": "us", "iss": "we"}, 0),
        ({"aud": ["them", "us"], "iss": "we"}, 0),
        ({"aud": "them", "iss": "we"}, 3500),
        ({"aud": "us", "iss": "they"}, 3500),
        ({"iss": "we"}, 3500),
        ({"aud": "us"}, 3500),
    ],
)
def test_audience_and_issuer_count_where_they_are_set(claims: dict[str, Any], code: int) -> None:
    assert connect(ConnectionRules((TOKEN_SECRET,), "us", "we"), **claims).code == code
