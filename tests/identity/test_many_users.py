"""Users made or changed together, and what goes with one who is deleted."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Table, select

from chatproxy.errors import DirectoryUnavailable, IdentityError, MalformedBody
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, LARGEST_CUSTOM, Profile
from chatproxy.identity.tables import badges, bound_tokens, devices
from chatproxy.identity.token_records import OpaqueToken
from tests.databases import run_at
from tests.identity.databases import statements
from tests.stopwatch import Stopwatch

TOO_MUCH = Profile(custom={"a": "x" * LARGEST_CUSTOM})


def named(directory: Directory, app_id: str = DEFAULT_APP) -> dict[str, str | None]:
    """The users that there are, and their names."""
    return {
        user.external_id: user.name for user in directory.user_search.page(app_id, (), 0, 100)[0]
    }


def test_all_are_made_or_changed(directory: Directory, clock: Stopwatch) -> None:
    before, _ = directory.users.upsert(DEFAULT_APP, "bob", Profile("Bob", "b.png", custom={"a": 1}))
    clock.now += 1
    said = {"carol": Profile("Carol"), "bob": Profile("Bo", custom={"b": 2}), "alice": Profile()}
    directory.users.upsert_many(DEFAULT_APP, said)
    bob = directory.users.find(DEFAULT_APP, "bob")

    assert named(directory) == {"alice": None, "bob": "Bo", "carol": "Carol"}
    assert bob is not None
    assert (bob.id, bob.image, bob.custom) == (before.id, "b.png", {"a": 1, "b": 2})
    assert (bob.created, bob.updated) == (before.created, clock.now)


def test_who_is_told_of_was_not_seen(directory: Directory, clock: Stopwatch) -> None:
    bob, _ = directory.users.upsert(DEFAULT_APP, "bob", Profile())
    clock.now += 3600
    directory.users.upsert_many(DEFAULT_APP, {"alice": Profile("Alice"), "bob": Profile("Bob")})
    found = directory.users.find_many(DEFAULT_APP, ["alice", "bob"])

    assert {one: found[one].last_seen for one in found} == {"alice": None, "bob": bob.last_seen}


def test_a_deleted_one_among_them_comes_back(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile("Alice"))
    directory.users.delete(DEFAULT_APP, "alice")
    directory.users.upsert_many(DEFAULT_APP, {"alice": Profile(), "bob": Profile()})

    assert named(directory) == {"alice": None, "bob": None}


def test_where_one_cannot_be_written_none_is(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile("Alice"))
    said = {"alice": Profile("Al"), "bob": Profile("Bob"), "carol": TOO_MUCH, "dave": Profile()}

    with pytest.raises(MalformedBody):
        directory.users.upsert_many(DEFAULT_APP, said)

    assert named(directory) == {"alice": "Alice"}


def test_many_of_an_unknown_app_are_refused(directory: Directory) -> None:
    with pytest.raises(IdentityError, match="there is no app nowhere"):
        directory.users.upsert_many("nowhere", {"alice": Profile()})


def test_nobody_is_nothing_to_write(directory: Directory) -> None:
    with statements(directory) as seen:
        directory.users.upsert_many(DEFAULT_APP, {})

    assert seen == []


def test_two_at_once_in_another_order_both_end(
    directory: Directory, opened: Callable[..., Directory]
) -> None:
    """In their own order each would come to hold what the other waits for."""
    ids = [f"user-{number:02}" for number in range(40)]
    meeting = Barrier(2)

    def put(worker: Directory, order: list[str], round_: int) -> None:
        said: Mapping[str, Profile] = {one: Profile(f"{order[0]} {round_}") for one in order}
        meeting.wait(30)
        worker.users.upsert_many(DEFAULT_APP, said)

    with ThreadPoolExecutor(2) as pool:
        for round_ in range(3):
            work = ((directory, ids), (opened(), ids[::-1]))
            results = [pool.submit(put, *one, round_) for one in work]
            assert [result.exception(30) for result in results] == [None, None]

            names = set(named(directory).values())
            assert len(names) == 1  # one came wholly after the other
            assert names < {f"{ids[0]} {round_}", f"{ids[-1]} {round_}"}


def equipped(directory: Directory, app_id: str, external_id: str) -> None:
    """A user with a device, a badge and a token."""
    user, _ = directory.users.upsert(app_id, external_id, Profile())
    directory.devices.note(user.id, f"phone of {external_id}")
    directory.badges(["badge"]).set(app_id, external_id, "chat", 3, most_clients=10)
    token = OpaqueToken(f"token of {external_id}", user.created + 60)
    directory.opaque_tokens.bind(app_id, external_id, token)


@pytest.mark.parametrize("table", [devices, bound_tokens, badges], ids=str)
def test_with_a_user_goes_what_it_had_and_nobody_elses(directory: Directory, table: Table) -> None:
    directory.apps.create("shop", "shop")

    for app_id, external_id in ((DEFAULT_APP, "alice"), (DEFAULT_APP, "alice2"), ("shop", "alice")):
        equipped(directory, app_id, external_id)

    before = rows(directory, table)
    mine = directory.users.delete(DEFAULT_APP, "alice")
    assert mine is not None

    ours = {row for row in before if mine.id in row or {DEFAULT_APP, "alice"} <= set(row)}
    assert ours
    assert rows(directory, table) == before - ours
    assert len(before) == 3 * len(ours)


def rows(directory: Directory, table: Table) -> set[tuple[object, ...]]:
    with directory.database.reading() as connection:
        return {tuple(row) for row in connection.execute(select(table))}


def test_who_comes_back_has_nothing_of_before(directory: Directory) -> None:
    equipped(directory, DEFAULT_APP, "alice")
    directory.users.delete(DEFAULT_APP, "alice")
    user, _ = directory.users.upsert(DEFAULT_APP, "alice", Profile())

    assert directory.devices.of([user.id]) == {user.id: []}
    assert directory.badges(["badge"]).total(DEFAULT_APP, "alice") == 0
    assert directory.opaque_tokens.owner(DEFAULT_APP, "token of alice") is None


def test_a_deletion_that_fails_takes_nothing(directory: Directory, database_url: str) -> None:
    equipped(directory, DEFAULT_APP, "alice")
    run_at(database_url, "ALTER TABLE badges RENAME TO hidden")

    with pytest.raises(DirectoryUnavailable):
        directory.users.delete(DEFAULT_APP, "alice")

    user = directory.users.find(DEFAULT_APP, "alice")
    assert user is not None
    assert directory.devices.of([user.id])[user.id]
    assert directory.opaque_tokens.check(DEFAULT_APP, "token of alice").user == user
