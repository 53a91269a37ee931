"""What is put into a call, and that every other spelling of it is taken out."""

import pytest

from chatproxy.forwarding.credentials import Credentials, without
from chatproxy.forwarding.headers import NOTHING
from chatproxy.forwarding.plan import Plan

RESERVED = frozenset({"api_key", "api_secret", "authorization", "stream_auth_type"})


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("a=1&b=2", "a=1&b=2"),
        ("api_key=x", ""),
        ("a=1&api_key=x&b=2", "a=1&b=2"),
        ("api_key=x&a=1", "a=1"),
        ("api_key=x&api_key=y&a=1&api_key=z", "a=1"),
        ("a=1;api_key=x;b=2", "a=1;b=2"),
        ("a=1&API_KEY=x", "a=1"),
        ("a=1&api%5fkey=x", "a=1"),
        ("a=1&api%255Fkey=x", "a=1"),
        ("a=1&api-key=x", "a=1"),
        ("a=1&api_key[]=x", "a=1"),
        ("a=1&api_key%5B0%5D=x", "a=1"),
        ("a=1&+api_key+=x", "a=1"),
        ("a=1&api_key", "a=1"),
        ("a=1&authorization=x&stream-auth-type=jwt", "a=1"),
        ("a=1&api_secret=x", "a=1"),
        ("a=1&%" + "25" * 9 + "41=x", "a=1"),
        ("my_api_key=1&api_keys=2&x=api_key", "my_api_key=1&api_keys=2&x=api_key"),
        ("a=b%26api_key%3Dx", "a=b%26api_key%3Dx"),
        ("&&a=1&", "&&a=1&"),
        ("api_key=x&&a", "&a"),
    ],
)
def test_every_spelling_of_a_reserved_name_goes_and_nothing_else(query: str, left: str) -> None:
    assert without(query, RESERVED) == left


@pytest.mark.parametrize(
    ("query", "sent"),
    [(None, "api_key=k"), ("", "api_key=k"), ("api_key=x", "api_key=k"), ("a=1", "api_key=k&a=1")],
)
def test_our_own_credential_is_the_only_one(query: str | None, sent: str) -> None:
    drops = Plan(RESERVED, NOTHING).drops_parameter

    assert Credentials([("api_key", "k")], [], RESERVED).into_query(query, drops) == sent
