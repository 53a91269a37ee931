"""Tokens made here: which of them a revocation ends."""

from collections.abc import Callable
from multiprocessing.pool import Pool

import pytest
from sqlalchemy import select

from chatproxy.errors import IdentityError, TokenOfAnotherApp
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile, User
from chatproxy.identity.revocation import REMEMBERED
from chatproxy.identity.tables import revoked_tokens
from chatproxy.identity.token_records import Issued, new_token_id
from tests.identity.elsewhere import is_revoked
from tests.identity.tokens import is_good
from tests.stopwatch import Stopwatch

HOUR = 3600.0

Revoke = Callable[[Directory, Issued], object]

OF_USER: dict[str, Revoke] = {
    "by user": lambda directory, token: directory.tokens.revoke_user(DEFAULT_APP, token.user_id),
    "by app": lambda directory, _: directory.tokens.revoke_app(DEFAULT_APP),
    "by deletion": lambda directory, token: directory.users.delete(DEFAULT_APP, token.user_id),
}
ALL: dict[str, Revoke] = OF_USER | {
    "by its id": lambda directory, token: directory.tokens.revoke_token(
        DEFAULT_APP, token.token_id or "", token.expires
    ),
}

every_way = pytest.mark.parametrize("revoke", ALL.values(), ids=ALL)
every_way_for_a_user = pytest.mark.parametrize("revoke", OF_USER.values(), ids=OF_USER)


def seen(directory: Directory, external_id: str = "alice", app_id: str = DEFAULT_APP) -> User:
    return directory.users.upsert(app_id, external_id, Profile())[0]


def token_of(user: User, clock: Stopwatch) -> Issued:
    """A token that is made now."""
    token_id = new_token_id(user.version)
    return Issued(user.app_id, user.external_id, token_id, clock.now, clock.now + HOUR)


def test_a_new_token_counts(directory: Directory, clock: Stopwatch) -> None:
    user = seen(directory)
    standing = directory.tokens.check(token_of(user, clock))

    assert (standing.user, standing.version) == (user, user.version)


@every_way
def test_a_revocation_is_seen_at_once_everywhere(
    directory: Directory, opened: Callable[..., Directory], clock: Stopwatch, revoke: Revoke
) -> None:
    token, another = token_of(seen(directory), clock), opened()
    assert is_good(another, token)

    revoke(directory, token)
    assert not is_good(another, token)
    assert not is_good(directory, token)


@every_way
def test_another_process_sees_it_at_once(
    directory: Directory, database_url: str, processes: Pool, clock: Stopwatch, revoke: Revoke
) -> None:
    token = token_of(seen(directory), clock)
    assert not processes.apply(is_revoked, (database_url, token))

    revoke(directory, token)
    assert processes.apply(is_revoked, (database_url, token))


@every_way
def test_a_clock_set_back_revives_nothing(
    directory: Directory, clock: Stopwatch, revoke: Revoke
) -> None:
    token = token_of(seen(directory), clock)
    revoke(directory, token)
    clock.now -= HOUR

    assert not is_good(directory, token)
    seen(directory)
    assert not is_good(directory, token)


@every_way
def test_a_token_of_the_same_instant_afterwards_is_good(
    directory: Directory, clock: Stopwatch, revoke: Revoke
) -> None:
    before = token_of(seen(directory), clock)
    revoke(directory, before)
    after = token_of(seen(directory), clock)

    assert is_good(directory, after)
    assert not is_good(directory, before)


@every_way_for_a_user
def test_each_revocation_ends_all_before_it(
    directory: Directory, clock: Stopwatch, revoke: Revoke
) -> None:
    tokens = []

    for way in (*OF_USER.values(), revoke, revoke):
        tokens.append(token_of(seen(directory), clock))
        way(directory, tokens[-1])
        seen(directory)

    assert not any(is_good(directory, token) for token in tokens)
    assert len({token.version for token in tokens}) == len(tokens)


@every_way
def test_another_app_is_not_touched(directory: Directory, clock: Stopwatch, revoke: Revoke) -> None:
    directory.apps.create("shop", "shop")
    token = token_of(seen(directory), clock)
    other = Issued("shop", token.user_id, token.token_id, token.issued, token.expires)
    seen(directory, app_id="shop")
    revoke(directory, token)

    assert is_good(directory, other)


def test_another_user_is_touched_with_the_app_alone(directory: Directory, clock: Stopwatch) -> None:
    alice, bob = (token_of(seen(directory, name), clock) for name in ("alice", "bob"))
    directory.tokens.revoke_user(DEFAULT_APP, "alice")
    assert is_good(directory, bob)

    directory.tokens.revoke_app(DEFAULT_APP)
    assert not is_good(directory, bob)
    assert not is_good(directory, alice)


def test_another_token_of_the_user_stays(directory: Directory, clock: Stopwatch) -> None:
    one, other = (token_of(seen(directory), clock) for _ in range(2))
    ALL["by its id"](directory, one)

    assert is_good(directory, other)


def test_a_version_that_was_never_reached_is_refused(
    directory: Directory, clock: Stopwatch
) -> None:
    """As after a database was put back from an old copy."""
    user = seen(directory)
    token_id = new_token_id(user.version + 1)

    assert not is_good(directory, Issued(DEFAULT_APP, "alice", token_id, clock.now, clock.now + 1))


def test_a_token_of_an_unknown_app_is_refused(directory: Directory, clock: Stopwatch) -> None:
    with pytest.raises(TokenOfAnotherApp):
        directory.tokens.check(Issued("nowhere", "alice", None, clock.now, clock.now + 1))


def test_a_user_who_is_not_known_has_no_user(directory: Directory, clock: Stopwatch) -> None:
    token = Issued(DEFAULT_APP, "carol", new_token_id(0), clock.now, clock.now + 1)
    standing = directory.tokens.check(token)

    assert (standing.user, standing.version) == (None, 0)
    seen(directory, "carol")
    assert is_good(directory, token)


def test_with_the_app_end_tokens_of_users_not_known(directory: Directory, clock: Stopwatch) -> None:
    token = Issued(DEFAULT_APP, "carol", new_token_id(0), clock.now, clock.now + 1)
    directory.tokens.revoke_app(DEFAULT_APP)

    assert not is_good(directory, token)
    seen(directory, "carol")
    assert not is_good(directory, token)


def test_it_is_said_whether_there_was_one_to_revoke(directory: Directory) -> None:
    seen(directory)

    assert directory.tokens.revoke_user(DEFAULT_APP, "alice")
    assert directory.tokens.revoke_app(DEFAULT_APP)
    assert not directory.tokens.revoke_user(DEFAULT_APP, "bob")
    assert not directory.tokens.revoke_app("nowhere")

    directory.users.delete(DEFAULT_APP, "alice")
    assert not directory.tokens.revoke_user(DEFAULT_APP, "alice")


def test_a_token_id_of_an_unknown_app_is_refused(directory: Directory) -> None:
    with pytest.raises(IdentityError, match="there is no app nowhere"):
        directory.tokens.revoke_token("nowhere", "a", 0)


def remembered(directory: Directory) -> list[str]:
    with directory.database.reading() as connection:
        return list(connection.execute(select(revoked_tokens.c.token_id)).scalars())


def test_a_token_can_be_revoked_twice(directory: Directory, clock: Stopwatch) -> None:
    for _ in range(2):
        directory.tokens.revoke_token(DEFAULT_APP, "a", clock.now)

    assert remembered(directory) == ["a"]


def test_what_is_over_for_long_is_cleared(directory: Directory, clock: Stopwatch) -> None:
    for name, left in {"over": -1, "just over": 0, "running": 1}.items():
        directory.tokens.revoke_token(DEFAULT_APP, name, clock.now + left)

    clock.now += REMEMBERED
    directory.tokens.revoke_token(DEFAULT_APP, "new", clock.now)

    assert sorted(remembered(directory)) == ["just over", "new", "running"]


def test_a_clock_set_back_finds_tokens_that_were_over(
    directory: Directory, clock: Stopwatch
) -> None:
    token = token_of(seen(directory), clock)
    ALL["by its id"](directory, token)
    clock.now = token.expires + HOUR
    directory.tokens.revoke_token(DEFAULT_APP, "another", clock.now)
    clock.now -= 2 * HOUR

    assert not is_good(directory, token)
