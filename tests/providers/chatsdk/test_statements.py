"""What a call of a service about a known user costs the database: one statement."""

from typing import Any

import pytest

from tests.identity.databases import statements

CALLS = ["/tokens", "/api/auth/connect", "/api/users/ensure"]


@pytest.mark.parametrize("path", CALLS)
def test_a_known_user_and_the_key_are_one_statement(january: Any, path: str) -> None:
    body = {"userId": "known"}
    assert january.ask("POST", path, body).status_code in (200, 201)

    with statements(january.directory) as seen:
        assert january.ask("POST", path, body).status_code == 200

    assert [statement.split()[0] for statement in seen] == ["SELECT"]


def test_a_user_who_is_revoked_gets_tokens_that_are_good(january: Any) -> None:
    """The user that the key was found with is the one of now."""
    before = january.tokens("again")["token"]
    assert january.revoke("again").status_code == 200
    after = january.tokens("again")["token"]

    assert january.validate(before).status_code == 401
    assert january.validate(after).status_code == 200
