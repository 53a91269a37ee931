"""Tokens found by look-up: bound, found, replaced, ended."""

import contextlib
import dataclasses
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import func, select

from chatproxy.errors import (
    Conflict,
    DirectoryUnavailable,
    IdentityError,
    MalformedBody,
    TokenExpired,
    TokenRejected,
    TokenRevoked,
    TokenUnknown,
)
from chatproxy.identity.directory import Directory
from chatproxy.identity.key_format import digest_of
from chatproxy.identity.records import DEFAULT_APP, LARGEST_CUSTOM, Profile, User
from chatproxy.identity.tables import bound_tokens, metadata
from chatproxy.identity.token_records import Binding, OpaqueToken
from tests.databases import run_at
from tests.identity.databases import statements
from tests.identity.test_key_format import JUNK
from tests.stopwatch import Stopwatch

HOUR = 3600.0
SHOP = "shop"

Revoke = Callable[[Directory], object]

WAYS: dict[str, Revoke] = {
    "by user": lambda directory: directory.tokens.revoke_user(DEFAULT_APP, "alice"),
    "by app": lambda directory: directory.tokens.revoke_app(DEFAULT_APP),
}
every_way = pytest.mark.parametrize("revoke", WAYS.values(), ids=WAYS)


@pytest.fixture
def alice(directory: Directory) -> User:
    return directory.users.upsert(DEFAULT_APP, "alice", Profile("Alice"))[0]


@pytest.fixture
def bob(directory: Directory) -> User:
    return directory.users.upsert(DEFAULT_APP, "bob", Profile("Bob"))[0]


@pytest.fixture
def end(clock: Stopwatch) -> float:
    return clock.now + HOUR


def bind(
    directory: Directory,
    end: float,
    *texts: str,
    external_id: str = "alice",
    app_id: str = DEFAULT_APP,
    profile: Profile | None = None,
) -> None:
    for text in texts:
        assert directory.opaque_tokens.bind(app_id, external_id, OpaqueToken(text, end), profile)


def bind_new(directory: Directory, end: float) -> str:
    """Bind a token that is made here to Alice; return its text."""
    token = directory.opaque_tokens.make(end)
    assert directory.opaque_tokens.bind(DEFAULT_APP, "alice", token)
    return token.text


def alive(directory: Directory, *texts: str, app_id: str = DEFAULT_APP) -> list[str]:
    """Those of the tokens that count, by both questions."""
    digests = {digest_of(text): text for text in texts}
    counting = directory.opaque_tokens.still_valid({(app_id, digest) for digest in digests})
    found = []

    for text in texts:
        with contextlib.suppress(TokenRejected):
            directory.opaque_tokens.check(app_id, text)
            found.append(text)

    assert sorted(digests[digest] for _, digest in counting) == sorted(found)
    return found


def stored(directory: Directory) -> int:
    with directory.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(bound_tokens)).scalar_one()


def test_a_bound_token_is_found(directory: Directory, alice: User, end: float) -> None:
    assert directory.opaque_tokens.bind(DEFAULT_APP, "alice", OpaqueToken("a", end)) == alice
    assert directory.opaque_tokens.check(DEFAULT_APP, "a") == Binding(alice, digest_of("a"), end)


def test_a_user_has_many_tokens(directory: Directory, alice: User, end: float) -> None:
    bind(directory, end, "a", "b")
    bind(directory, end + 1, "c")

    assert [directory.opaque_tokens.check(DEFAULT_APP, one).expires for one in "abc"] == [
        end,
        end,
        end + 1,
    ]
    assert {directory.opaque_tokens.check(DEFAULT_APP, one).user.id for one in "abc"} == {alice.id}


@pytest.mark.usefixtures("alice")
def test_any_other_text_is_unknown(directory: Directory, end: float) -> None:
    bind(directory, end, "alice's")

    for text in (*JUNK.values(), "Alice's", " alice's", "alice's ", digest_of("alice's")):
        with pytest.raises(TokenUnknown, match="Invalid token"):
            directory.opaque_tokens.check(DEFAULT_APP, text)


@pytest.mark.usefixtures("alice")
def test_a_token_counts_until_the_second_of_its_end(
    directory: Directory, clock: Stopwatch, end: float
) -> None:
    bind(directory, end, "a")
    clock.now = end - 0.001
    assert alive(directory, "a") == ["a"]

    clock.now = end
    assert alive(directory, "a") == []

    with pytest.raises(TokenExpired, match="Token expired"):
        directory.opaque_tokens.check(DEFAULT_APP, "a")


@every_way
@pytest.mark.usefixtures("alice")
def test_a_revocation_ends_what_is_bound(directory: Directory, end: float, revoke: Revoke) -> None:
    bind(directory, end, "a", "b")
    revoke(directory)
    assert alive(directory, "a", "b") == []

    with pytest.raises(TokenRevoked, match="Token revoked"):
        directory.opaque_tokens.check(DEFAULT_APP, "a")


@every_way
@pytest.mark.usefixtures("alice")
def test_what_is_bound_after_a_revocation_counts(
    directory: Directory, end: float, revoke: Revoke
) -> None:
    bind(directory, end, "a", "b")
    revoke(directory)
    bind(directory, end, "a", "c")

    assert alive(directory, "a", "b", "c") == ["a", "c"]


@pytest.mark.usefixtures("alice", "bob")
def test_a_revoked_user_takes_nobody_along(directory: Directory, end: float) -> None:
    bind(directory, end, "a")
    bind(directory, end, "b", external_id="bob")
    directory.tokens.revoke_user(DEFAULT_APP, "alice")

    assert alive(directory, "a", "b") == ["b"]


@pytest.mark.usefixtures("alice")
def test_a_deleted_users_tokens_are_gone(directory: Directory, end: float) -> None:
    bind(directory, end, "a")
    directory.users.delete(DEFAULT_APP, "alice")

    assert alive(directory, "a") == []
    assert directory.opaque_tokens.owner(DEFAULT_APP, "a") is None


@pytest.mark.usefixtures("alice")
def test_who_comes_back_has_none_of_before(directory: Directory, end: float) -> None:
    bind(directory, end, "a")
    directory.users.delete(DEFAULT_APP, "alice")
    directory.users.upsert(DEFAULT_APP, "alice", Profile())
    bind(directory, end, "b")

    assert alive(directory, "a", "b") == ["b"]


@pytest.mark.usefixtures("alice", "bob")
def test_a_deleted_users_token_can_be_anothers(directory: Directory, end: float) -> None:
    bind(directory, end, "a")
    directory.users.delete(DEFAULT_APP, "alice")
    bind(directory, end, "a", external_id="bob")

    assert directory.opaque_tokens.owner(DEFAULT_APP, "a") == "bob"


def test_a_row_left_of_a_deleted_user_does_not_count(
    directory: Directory, alice: User, end: float, database_url: str
) -> None:
    """Both guards: the row goes with its user, and counts for nobody who is not active."""
    bind(directory, end, "a")
    run_at(database_url, f"UPDATE users SET active = false WHERE id = '{alice.id}'")

    assert alive(directory, "a") == []
    assert directory.opaque_tokens.made_here(DEFAULT_APP, "alice") == []

    with pytest.raises(TokenRevoked):
        directory.opaque_tokens.check(DEFAULT_APP, "a")


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("later", [HOUR, -60], ids=["later", "sooner"])
def test_a_token_bound_anew_has_the_new_end(directory: Directory, end: float, later: float) -> None:
    bind(directory, end, "a")
    bind(directory, end + later, "a")

    assert directory.opaque_tokens.check(DEFAULT_APP, "a").expires == end + later
    assert stored(directory) == 1


@pytest.mark.usefixtures("alice")
def test_a_token_made_here_takes_the_place_of_those_before(
    directory: Directory, end: float
) -> None:
    bind(directory, end, "own")
    first, second = (bind_new(directory, end) for _ in range(2))

    assert alive(directory, "own", first, second) == ["own", second]
    assert stored(directory) == 2


@pytest.mark.usefixtures("alice")
def test_a_users_own_token_takes_nobodys_place(directory: Directory, end: float) -> None:
    made = bind_new(directory, end)
    bind(directory, end, "own", "another")

    assert alive(directory, made, "own", "another") == [made, "own", "another"]


@pytest.mark.usefixtures("alice", "bob")
def test_a_token_made_here_leaves_those_of_others_alone(directory: Directory, end: float) -> None:
    bobs = directory.opaque_tokens.make(end)
    directory.opaque_tokens.bind(DEFAULT_APP, "bob", bobs)
    bind_new(directory, end)

    assert alive(directory, bobs.text) == [bobs.text]


@pytest.mark.usefixtures("alice", "bob")
@pytest.mark.parametrize("over", ["expired", "revoked"])
def test_what_is_over_is_cleared_away_by_the_next_of_that_user(
    directory: Directory, clock: Stopwatch, end: float, over: str
) -> None:
    bind(directory, end, "a", "b")
    bind(directory, end + HOUR, "c", "d")
    bind(directory, end, "e", external_id="bob")

    if over == "expired":
        clock.now = end
    else:
        directory.tokens.revoke_user(DEFAULT_APP, "alice")

    bind(directory, end + HOUR, "f")
    left = [one for one in "abcdef" if directory.opaque_tokens.owner(DEFAULT_APP, one)]
    assert left == (["c", "d", "e", "f"] if over == "expired" else ["e", "f"])


@pytest.mark.usefixtures("alice", "bob")
@pytest.mark.parametrize("profile", [None, Profile("Bobby")], ids=["without", "with a profile"])
def test_another_users_token_is_a_conflict(
    directory: Directory, end: float, profile: Profile | None
) -> None:
    bind(directory, end, "a")

    with pytest.raises(Conflict, match="Token is bound to another client"):
        directory.opaque_tokens.bind(DEFAULT_APP, "bob", OpaqueToken("a", end + HOUR), profile)

    found = directory.opaque_tokens.check(DEFAULT_APP, "a")
    assert (found.user.external_id, found.expires) == ("alice", end)


@pytest.mark.usefixtures("alice")
def test_a_conflict_changes_nothing(
    directory: Directory, bob: User, clock: Stopwatch, end: float
) -> None:
    bind(directory, end, "a")
    bind(directory, end, "over soon", external_id="bob")
    clock.now = end

    with pytest.raises(Conflict):
        directory.opaque_tokens.bind(
            DEFAULT_APP, "bob", OpaqueToken("a", end + 1), Profile("Bobby")
        )

    assert directory.users.find(DEFAULT_APP, "bob") == bob
    assert directory.opaque_tokens.owner(DEFAULT_APP, "over soon") == "bob"
    assert directory.database.fault == ""


@pytest.mark.usefixtures("alice")
def test_a_conflict_makes_no_user(directory: Directory, end: float) -> None:
    bind(directory, end, "a")

    with pytest.raises(Conflict):
        directory.opaque_tokens.bind(DEFAULT_APP, "bob", OpaqueToken("a", end), Profile("Bob"))

    assert directory.users.find(DEFAULT_APP, "bob") is None


@pytest.mark.usefixtures("alice", "bob")
def test_a_token_that_is_over_stays_its_users(
    directory: Directory, clock: Stopwatch, end: float
) -> None:
    bind(directory, end, "a")
    clock.now = end
    directory.tokens.revoke_user(DEFAULT_APP, "alice")

    with pytest.raises(Conflict):
        directory.opaque_tokens.bind(DEFAULT_APP, "bob", OpaqueToken("a", end + HOUR))

    assert directory.opaque_tokens.owner(DEFAULT_APP, "a") == "alice"


def test_a_user_is_made_together_with_its_token(
    directory: Directory, clock: Stopwatch, end: float
) -> None:
    user = directory.opaque_tokens.bind(
        DEFAULT_APP, "carol", OpaqueToken("c", end), Profile("Carol")
    )

    assert user is not None
    assert (user.name, user.last_seen) == ("Carol", clock.now)
    assert directory.users.find(DEFAULT_APP, "carol") == user
    assert directory.opaque_tokens.check(DEFAULT_APP, "c").user == user


def test_a_user_is_changed_together_with_its_token(
    directory: Directory, alice: User, clock: Stopwatch, end: float
) -> None:
    clock.now += 1
    bind(directory, end, "a", profile=Profile(image="a.png"))

    news = {"image": "a.png", "updated": clock.now, "last_seen": clock.now}
    assert directory.opaque_tokens.check(DEFAULT_APP, "a").user == dataclasses.replace(
        alice, **news
    )


@pytest.mark.usefixtures("alice")
def test_a_deleted_user_comes_back_together_with_a_token(directory: Directory, end: float) -> None:
    bind(directory, end, "a")
    directory.users.delete(DEFAULT_APP, "alice")
    bind(directory, end, "b", profile=Profile())

    assert directory.users.find(DEFAULT_APP, "alice")
    assert alive(directory, "a", "b") == ["b"]


def test_a_token_that_cannot_be_kept_makes_no_user(
    directory: Directory, end: float, database_url: str
) -> None:
    run_at(database_url, "ALTER TABLE bound_tokens RENAME TO hidden")

    with pytest.raises(DirectoryUnavailable):
        directory.opaque_tokens.bind(DEFAULT_APP, "carol", OpaqueToken("c", end), Profile("Carol"))

    assert directory.users.find(DEFAULT_APP, "carol") is None


@pytest.mark.usefixtures("alice")
def test_a_profile_that_cannot_be_kept_binds_no_token(directory: Directory, end: float) -> None:
    too_much = Profile(custom={"a": "x" * LARGEST_CUSTOM})

    with pytest.raises(MalformedBody):
        directory.opaque_tokens.bind(DEFAULT_APP, "alice", OpaqueToken("a", end), too_much)

    assert directory.opaque_tokens.owner(DEFAULT_APP, "a") is None


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("who", ["nobody", "deleted"])
def test_without_a_profile_nobody_is_made(directory: Directory, end: float, who: str) -> None:
    directory.users.delete(DEFAULT_APP, "alice")
    external_id = "alice" if who == "deleted" else "nobody"

    assert directory.opaque_tokens.bind(DEFAULT_APP, external_id, OpaqueToken("a", end)) is None
    assert directory.users.find(DEFAULT_APP, external_id) is None
    assert stored(directory) == 0


def test_an_unknown_app_is_refused(directory: Directory, end: float) -> None:
    with pytest.raises(IdentityError, match="there is no app nowhere"):
        directory.opaque_tokens.bind("nowhere", "alice", OpaqueToken("a", end), Profile())


@pytest.mark.usefixtures("alice", "bob")
def test_one_token_is_ended(directory: Directory, end: float) -> None:
    bind(directory, end, "a", "b")

    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice", "a") == 1
    assert alive(directory, "a", "b") == ["b"]
    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice", "a") == 0


@pytest.mark.usefixtures("alice", "bob")
def test_all_tokens_of_a_user_are_ended(directory: Directory, end: float) -> None:
    bind(directory, end, "a", "b")
    made = bind_new(directory, end)
    bind(directory, end, "c", external_id="bob")

    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice") == 3
    assert alive(directory, "a", "b", made, "c") == ["c"]
    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice") == 0


@pytest.mark.usefixtures("alice", "bob")
@pytest.mark.parametrize("text", ["b", "unknown", "", "A", "\ud800"], ids=ascii)
def test_what_is_not_the_users_is_not_ended(directory: Directory, end: float, text: str) -> None:
    bind(directory, end, "a")
    bind(directory, end, "b", external_id="bob")

    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice", text) == 0
    assert alive(directory, "a", "b") == ["a", "b"]


@pytest.mark.usefixtures("alice")
def test_what_is_over_is_not_counted(directory: Directory, clock: Stopwatch, end: float) -> None:
    bind(directory, end, "a", "b")
    bind(directory, end + 1, "c")
    clock.now = end

    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice", "a") == 0
    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice") == 1
    assert stored(directory) == 0


@every_way
@pytest.mark.usefixtures("alice")
def test_what_is_revoked_is_not_counted(directory: Directory, end: float, revoke: Revoke) -> None:
    bind(directory, end, "a", "b")
    revoke(directory)

    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice", "a") == 0
    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice") == 0
    assert stored(directory) == 0


@pytest.mark.usefixtures("alice")
def test_nobody_has_nothing_to_end(directory: Directory, end: float) -> None:
    bind(directory, end, "a")
    assert directory.opaque_tokens.unbind(DEFAULT_APP, "nobody") is None
    assert directory.opaque_tokens.unbind("nowhere", "alice") is None

    directory.users.delete(DEFAULT_APP, "alice")
    assert directory.opaque_tokens.unbind(DEFAULT_APP, "alice", "a") is None


@pytest.mark.usefixtures("alice")
def test_the_owner_is_told_of_a_token_that_is_over_too(
    directory: Directory, clock: Stopwatch, end: float
) -> None:
    bind(directory, end, "a")
    clock.now = end
    directory.tokens.revoke_user(DEFAULT_APP, "alice")

    assert directory.opaque_tokens.owner(DEFAULT_APP, "a") == "alice"
    assert directory.opaque_tokens.owner(DEFAULT_APP, "b") is None
    assert directory.opaque_tokens.owner("nowhere", "a") is None


@pytest.mark.usefixtures("alice", "bob")
def test_the_text_of_one_made_here_can_be_had_again(directory: Directory, end: float) -> None:
    bind(directory, end, "own")
    made = bind_new(directory, end)
    directory.opaque_tokens.bind(DEFAULT_APP, "bob", directory.opaque_tokens.make(end))
    ((name, digest),) = directory.opaque_tokens.made_here(DEFAULT_APP, "alice")

    assert digest == digest_of(made)
    assert directory.opaque_tokens.text_of(name, digest) == made


@pytest.mark.usefixtures("alice")
@pytest.mark.parametrize("over", ["expired", *WAYS])
def test_of_those_made_here_only_what_counts_is_told(
    directory: Directory, clock: Stopwatch, end: float, over: str
) -> None:
    bind_new(directory, end)
    assert len(directory.opaque_tokens.made_here(DEFAULT_APP, "alice")) == 1

    if over in WAYS:
        WAYS[over](directory)
    else:
        clock.now = end

    assert directory.opaque_tokens.made_here(DEFAULT_APP, "alice") == []


@pytest.mark.usefixtures("alice")
def test_many_are_asked_about_in_one_statement(directory: Directory, end: float) -> None:
    bind(directory, end, "a", "b")
    asked = {(DEFAULT_APP, digest_of(str(number))) for number in range(500)}
    bound = {(DEFAULT_APP, digest_of(text)) for text in "ab"}

    with statements(directory) as seen:
        assert directory.opaque_tokens.still_valid(asked | bound) == bound

    assert len(seen) == 1


def test_none_are_asked_about_in_no_statement(directory: Directory) -> None:
    with statements(directory) as seen:
        assert directory.opaque_tokens.still_valid([]) == set()

    assert seen == []


def test_only_the_digest_of_a_token_is_kept(
    directory: Directory, alice: User, end: float, tmp_path: Path
) -> None:
    bind(directory, end, "own-0123456789")
    made = bind_new(directory, end)

    with directory.database.reading() as connection:
        rows = [connection.execute(select(table)).all() for table in metadata.sorted_tables]

    kept = repr(rows).encode() + b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert all(digest_of(text).encode() in kept for text in ("own-0123456789", made))
    assert b"own-0123456789" not in kept
    assert made.rpartition(".")[2].encode() not in kept
    assert made not in repr(directory.opaque_tokens.check(DEFAULT_APP, made))


@pytest.fixture
def both(directory: Directory, alice: User, end: float) -> User:
    """One text that is bound in two apps; returns the user of the other one."""
    directory.apps.create(SHOP, SHOP)
    bind(directory, end, "a")
    bind(directory, end + 1, "a", app_id=SHOP, profile=Profile("Another"))
    user = directory.users.find(SHOP, "alice")
    assert user is not None
    assert user.id != alice.id
    return user


def test_one_text_in_two_apps_is_two_tokens(
    directory: Directory, alice: User, both: User, end: float
) -> None:
    digest = digest_of("a")

    assert directory.opaque_tokens.check(DEFAULT_APP, "a") == Binding(alice, digest, end)
    assert directory.opaque_tokens.check(SHOP, "a") == Binding(both, digest, end + 1)
    asked = {(DEFAULT_APP, digest), (SHOP, digest), ("nowhere", digest)}
    assert directory.opaque_tokens.still_valid(asked) == {(DEFAULT_APP, digest), (SHOP, digest)}


@pytest.mark.usefixtures("both")
@pytest.mark.parametrize(
    "act",
    [
        *WAYS.values(),
        lambda directory: directory.users.delete(DEFAULT_APP, "alice"),
        lambda directory: directory.opaque_tokens.unbind(DEFAULT_APP, "alice"),
        lambda directory: directory.opaque_tokens.unbind(DEFAULT_APP, "alice", "a"),
    ],
    ids=[*WAYS, "by deletion", "all", "one"],
)
def test_what_ends_in_one_app_goes_on_in_the_other(directory: Directory, act: Revoke) -> None:
    act(directory)

    assert alive(directory, "a") == []
    assert alive(directory, "a", app_id=SHOP) == ["a"]


@pytest.mark.usefixtures("both")
def test_a_token_of_one_app_is_unknown_in_the_other(directory: Directory, end: float) -> None:
    bind(directory, end, "b")

    with pytest.raises(TokenUnknown):
        directory.opaque_tokens.check(SHOP, "b")

    assert directory.opaque_tokens.owner(SHOP, "b") is None
    assert directory.opaque_tokens.unbind(SHOP, "alice", "b") == 0


ROUNDS = 20


def bind_at_once(
    profile: Profile | None, *wanted: tuple[Directory, str, OpaqueToken]
) -> list[User | Exception | None]:
    """Bind at the same moment; return what each came to."""
    meeting = Barrier(len(wanted))

    def bind_one(one: tuple[Directory, str, OpaqueToken]) -> User | Exception | None:
        worker, external_id, token = one
        meeting.wait(30)

        try:
            return worker.opaque_tokens.bind(DEFAULT_APP, external_id, token, profile)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(wanted)) as pool:
        return list(pool.map(bind_one, wanted))


with_and_without = pytest.mark.parametrize(
    "profile", [None, Profile("Both")], ids=["without", "with a profile"]
)


@with_and_without
def test_of_two_users_at_once_one_has_the_token(
    directory: Directory, opened: Callable[..., Directory], end: float, profile: Profile | None
) -> None:
    another = opened()

    for round_ in range(ROUNDS):
        names = (f"alice-{round_}", f"bob-{round_}")
        token = OpaqueToken(f"token {round_}", end)

        if profile is None:
            directory.users.upsert_many(DEFAULT_APP, dict.fromkeys(names, Profile()))

        results = bind_at_once(profile, (directory, names[0], token), (another, names[1], token))
        winners = [one for one in results if isinstance(one, User)]
        assert sorted(type(one).__name__ for one in results) == ["Conflict", "User"]
        assert directory.opaque_tokens.check(DEFAULT_APP, token.text).user == winners[0]

        found = directory.users.find_many(DEFAULT_APP, names)
        assert len(found) == (2 if profile is None else 1)  # who loses is not made


@with_and_without
def test_of_two_made_here_at_once_one_is_left(
    directory: Directory, opened: Callable[..., Directory], end: float, profile: Profile | None
) -> None:
    another = opened()

    for round_ in range(ROUNDS):
        name = f"alice-{round_}"
        tokens = [directory.opaque_tokens.make(end) for _ in range(2)]

        if profile is None:
            directory.users.upsert(DEFAULT_APP, name, Profile())

        results = bind_at_once(profile, (directory, name, tokens[0]), (another, name, tokens[1]))
        assert [type(one) for one in results] == [User, User]
        assert len(alive(directory, *(token.text for token in tokens))) == 1
        assert len(directory.opaque_tokens.made_here(DEFAULT_APP, name)) == 1
