"""Tokens that somebody else made with the same secret: the time of their issue counts."""

import pytest

from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.token_records import Issued, new_token_id
from tests.identity.conftest import NOON
from tests.identity.tokens import is_good
from tests.stopwatch import Stopwatch

IDS = {
    "none": None,
    "empty": "",
    "uuid": "0b5c6c3e-8d5f-4a57-9a44-0d8d4d1a7f11",
    "uuid-of-digits": "12345678-1234-1234-1234-123456789012",
    "number": "7",
    "hexadecimal": "0" * 32,
    "one-digit-less": f"0-{'a' * 31}",
    "one-digit-more": f"0-{'a' * 33}",
    "capitals": f"0-{'A' * 32}",
    "other-digits": f"١-{'a' * 32}",
    "negative": f"-1-{'a' * 32}",
    "long-version": f"{'1' * 10}-{'a' * 32}",
    "line-end": f"0-{'a' * 32}\n",
}

every_id = pytest.mark.parametrize("token_id", IDS.values(), ids=IDS)


def foreign(issued: float, token_id: str | None = None, user: str = "alice") -> Issued:
    return Issued(DEFAULT_APP, user, token_id, issued, issued + 3600)


@pytest.fixture
def alice(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile())


@every_id
def test_it_is_not_taken_for_one_of_ours(token_id: str | None) -> None:
    assert foreign(NOON, token_id).version is None


def test_one_of_ours_says_its_version() -> None:
    versions = [0, 7, 123456789]

    assert [foreign(0, new_token_id(version)).version for version in versions] == versions


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("token_id", [None, IDS["uuid"]], ids=["no id", "uuid"])
@pytest.mark.parametrize(
    ("issued", "good"),
    [(-60, False), (-1, False), (0, False), (1, True), (60, True)],
)
@pytest.mark.parametrize("of", ["user", "app"])
def test_it_counts_if_issued_after_the_revocation(
    directory: Directory, token_id: str | None, issued: float, good: bool, of: str
) -> None:
    if of == "user":
        directory.tokens.revoke_user(DEFAULT_APP, "alice")
    else:
        directory.tokens.revoke_app(DEFAULT_APP)

    assert is_good(directory, foreign(NOON + issued, token_id)) == good


@pytest.mark.usefixtures("alice")
def test_without_a_revocation_it_counts(directory: Directory) -> None:
    assert all(is_good(directory, foreign(1, token_id)) for token_id in IDS.values())


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("app_first", [True, False], ids=["user last", "app last"])
def test_the_later_revocation_decides(
    directory: Directory, clock: Stopwatch, app_first: bool
) -> None:
    for of_app in (app_first, not app_first):
        clock.now += 10

        if of_app:
            directory.tokens.revoke_app(DEFAULT_APP)
        else:
            directory.tokens.revoke_user(DEFAULT_APP, "alice")

    assert not is_good(directory, foreign(clock.now - 5))
    assert is_good(directory, foreign(clock.now + 1))


def test_of_a_user_not_known_the_app_decides(directory: Directory) -> None:
    directory.tokens.revoke_app(DEFAULT_APP)

    assert not is_good(directory, foreign(NOON, user="carol"))
    assert directory.tokens.check(foreign(NOON + 1, user="carol")).user is None


@pytest.mark.usefixtures("alice")
def test_of_a_deleted_user_none_counts(directory: Directory) -> None:
    directory.users.delete(DEFAULT_APP, "alice")

    assert not is_good(directory, foreign(NOON + 60))


@pytest.mark.usefixtures("alice")
def test_of_one_who_came_back_later_ones_count(directory: Directory) -> None:
    directory.users.delete(DEFAULT_APP, "alice")
    directory.users.upsert(DEFAULT_APP, "alice", Profile())

    assert not is_good(directory, foreign(NOON))
    assert is_good(directory, foreign(NOON + 1))


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("token_id", ["", IDS["uuid"], "'--", "x" * 255], ids=str)
def test_it_can_be_revoked_by_its_id(directory: Directory, token_id: str) -> None:
    directory.tokens.revoke_token(DEFAULT_APP, token_id, NOON + 3600)

    assert not is_good(directory, foreign(NOON, token_id))
    assert is_good(directory, foreign(NOON, f"{token_id}1"))
    assert is_good(directory, foreign(NOON))


@pytest.mark.parametrize("ending", ["user", "app", "delete"])
def test_a_revocation_by_a_clock_set_back_revives_nothing(
    directory: Directory, clock: Stopwatch, alice: None, ending: str
) -> None:
    end = {
        "user": lambda: directory.tokens.revoke_user(DEFAULT_APP, "alice"),
        "app": lambda: directory.tokens.revoke_app(DEFAULT_APP),
        "delete": lambda: directory.users.delete(DEFAULT_APP, "alice"),
    }[ending]
    directory.tokens.revoke_user(DEFAULT_APP, "alice")
    directory.tokens.revoke_app(DEFAULT_APP)
    clock.now -= 3600

    end()

    assert not is_good(directory, foreign(NOON - 1))
