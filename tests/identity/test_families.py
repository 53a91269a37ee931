"""Tokens that tell their version in a claim, and families of tokens."""

import uuid
from multiprocessing.pool import ThreadPool

import pytest

from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.token_records import Issued, new_token_id
from tests.identity.tokens import is_good
from tests.stopwatch import Stopwatch

FAMILY, OTHER = str(uuid.uuid4()), str(uuid.uuid4())


def token(clock: Stopwatch, counted: int | None, family: str | None = None) -> Issued:
    token_id = str(uuid.uuid4())
    times = (clock.now, clock.now + 3600)
    return Issued(DEFAULT_APP, "alice", token_id, *times, counted=counted, family=family)


@pytest.fixture
def alice(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile())


@pytest.mark.usefixtures("alice")
def test_the_version_in_a_claim_ends_with_its_user(directory: Directory, clock: Stopwatch) -> None:
    assert is_good(directory, token(clock, 0))
    assert not is_good(directory, token(clock, 1))
    directory.tokens.revoke_user(DEFAULT_APP, "alice")

    assert not is_good(directory, token(clock, 0))
    assert is_good(directory, token(clock, 1))


def test_the_claim_counts_and_not_the_id() -> None:
    assert Issued(DEFAULT_APP, "a", new_token_id(7), 0, 1).version == 7
    assert Issued(DEFAULT_APP, "a", new_token_id(7), 0, 1, counted=0).version == 0


@pytest.mark.usefixtures("alice")
def test_a_family_ends_together_and_no_other_with_it(
    directory: Directory, clock: Stopwatch
) -> None:
    one, two = token(clock, 0, FAMILY), token(clock, 0, FAMILY)
    others = [token(clock, 0, OTHER), token(clock, 0)]
    directory.tokens.revoke_token(DEFAULT_APP, FAMILY, clock.now + 3600)

    assert [is_good(directory, each) for each in (one, two, *others)] == [False, False, True, True]


@pytest.mark.usefixtures("alice")
def test_a_member_ends_alone_by_its_own_id(directory: Directory, clock: Stopwatch) -> None:
    one, two = token(clock, 0, FAMILY), token(clock, 0, FAMILY)
    directory.tokens.revoke_token(DEFAULT_APP, str(one.token_id), clock.now + 3600)
    assert (is_good(directory, one), is_good(directory, two)) == (False, True)

    # Both its id and its family: still one token.
    directory.tokens.revoke_token(DEFAULT_APP, FAMILY, clock.now + 3600)
    assert (is_good(directory, one), is_good(directory, two)) == (False, False)


def test_of_many_at_once_one_is_the_first(directory: Directory, clock: Stopwatch) -> None:
    def revoke(_: int) -> bool:
        return directory.tokens.revoke_token(DEFAULT_APP, FAMILY, clock.now + 3600)

    with ThreadPool(8) as pool:
        assert sorted(pool.map(revoke, range(8))) == [False] * 7 + [True]
