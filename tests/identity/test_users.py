"""Users: made, changed, seen, forgotten."""

import dataclasses
from typing import Any

import pytest
from sqlalchemy import select

from chatproxy.errors import IdentityError, MalformedBody
from chatproxy.identity.directory import Directory
from chatproxy.identity.last_seen import SEEN_EVERY
from chatproxy.identity.records import DEFAULT_APP, LARGEST_CUSTOM, Profile
from chatproxy.identity.tables import users
from tests.identity.databases import statements
from tests.stopwatch import Stopwatch

ALICE = Profile("Alice", "https://example.com/a.png", "alice@example.com", {"plan": "pro"})
NOBODY = Profile()


def test_a_new_user_is_created(directory: Directory, clock: Stopwatch) -> None:
    user, action = directory.users.upsert(DEFAULT_APP, "alice", ALICE)

    assert action == "created"
    assert (user.name, user.image, user.email, user.custom) == dataclasses.astuple(ALICE)
    assert (user.created, user.updated, user.last_seen) == (clock.now,) * 3
    assert directory.users.find(DEFAULT_APP, "alice") == user


def test_what_is_not_said_of_a_new_user_is_empty(directory: Directory) -> None:
    user, _ = directory.users.upsert(DEFAULT_APP, "alice", NOBODY)

    assert (user.name, user.image, user.email, user.custom) == (None, None, None, {})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Al"),
        ("name", ""),
        ("image", "b.png"),
        ("email", "b@c"),
        ("custom", {"plan": None}),
    ],
    ids=str,
)
def test_what_is_new_is_changed(
    directory: Directory, clock: Stopwatch, field: str, value: Any
) -> None:
    before, _ = directory.users.upsert(DEFAULT_APP, "alice", ALICE)
    clock.now += 1
    user, action = directory.users.upsert(DEFAULT_APP, "alice", Profile(**{field: value}))

    news = {field: value, "updated": clock.now, "last_seen": clock.now}
    assert (user, action) == (dataclasses.replace(before, **news), "updated")
    assert directory.users.find(DEFAULT_APP, "alice") == user


@pytest.mark.parametrize("said", [ALICE, NOBODY, Profile(custom={})], ids=["all", "none", "empty"])
def test_what_is_known_is_left_alone(directory: Directory, said: Profile) -> None:
    before, _ = directory.users.upsert(DEFAULT_APP, "alice", ALICE)

    assert directory.users.upsert(DEFAULT_APP, "alice", said) == (before, "existing")


def test_metadata_is_merged(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile(custom={"a": 1, "b": {"c": 2, "d": 3}}))
    user, _ = directory.users.upsert(DEFAULT_APP, "alice", Profile(custom={"b": {"c": 4}, "e": []}))

    assert user.custom == {"a": 1, "b": {"c": 4}, "e": []}


@pytest.mark.parametrize("value", [True, 1.0, "1", [1], None], ids=repr)
def test_metadata_of_another_type_is_new(directory: Directory, value: Any) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile(custom={"vip": 1}))
    directory.users.upsert(DEFAULT_APP, "alice", Profile(custom={"vip": value}))
    user = directory.users.find(DEFAULT_APP, "alice")

    assert repr(user and user.custom["vip"]) == repr(value)


def test_the_order_of_metadata_is_not_new(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile(custom={"a": {"b": 1, "c": 2}, "d": 3}))
    again = Profile(custom={"d": 3, "a": {"c": 2, "b": 1}})

    assert directory.users.upsert(DEFAULT_APP, "alice", again)[1] == "existing"


def metadata_of(size: int) -> dict[str, Any]:
    """Metadata whose JSON is of this size, in characters of two bytes."""
    return {"a": "é" * ((size - len('{"a": ""}')) // 2) + "x" * ((size - 9) % 2)}


def test_metadata_may_have_its_largest_size(directory: Directory) -> None:
    most = metadata_of(LARGEST_CUSTOM)
    directory.users.upsert(DEFAULT_APP, "alice", Profile(custom=most))
    user = directory.users.find(DEFAULT_APP, "alice")

    assert user is not None
    assert user.custom == most


def test_larger_metadata_makes_no_user(directory: Directory) -> None:
    with pytest.raises(MalformedBody, match="custom: more than 65536 bytes"):
        directory.users.upsert(
            DEFAULT_APP, "alice", Profile(custom=metadata_of(LARGEST_CUSTOM + 1))
        )

    assert directory.users.find(DEFAULT_APP, "alice") is None
    assert directory.database.fault == ""


def test_metadata_cannot_grow_larger_by_merging(directory: Directory) -> None:
    half = "x" * (LARGEST_CUSTOM // 2)
    directory.users.upsert(DEFAULT_APP, "alice", Profile("Alice", custom={"a": half}))

    with pytest.raises(MalformedBody):
        directory.users.upsert(DEFAULT_APP, "alice", Profile("Alicia", custom={"b": half}))

    user = directory.users.find(DEFAULT_APP, "alice")
    assert user is not None
    assert (user.name, user.custom) == ("Alice", {"a": half})


def test_where_nothing_is_new_nothing_is_written(directory: Directory, clock: Stopwatch) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", ALICE)
    clock.now += SEEN_EVERY - 0.1

    with statements(directory) as seen:
        directory.users.upsert(DEFAULT_APP, "alice", ALICE)

    assert [statement.split()[0] for statement in seen] == ["SELECT"]


@pytest.mark.parametrize("later", [SEEN_EVERY, -3600], ids=["a minute later", "clock set back"])
def test_being_seen_is_written_once_a_minute(
    directory: Directory, clock: Stopwatch, later: float
) -> None:
    before, _ = directory.users.upsert(DEFAULT_APP, "alice", ALICE)
    clock.now += later
    user, action = directory.users.upsert(DEFAULT_APP, "alice", ALICE)

    assert (user, action) == (dataclasses.replace(before, last_seen=clock.now), "existing")
    assert directory.users.find(DEFAULT_APP, "alice") == user


def test_users_of_two_apps_are_two(directory: Directory) -> None:
    directory.apps.create("shop", "shop")
    one, _ = directory.users.upsert(DEFAULT_APP, "alice", ALICE)
    other, action = directory.users.upsert("shop", "alice", Profile("Alicia"))
    directory.users.delete("shop", "alice")

    assert action == "created"
    assert one.id != other.id
    assert directory.users.find(DEFAULT_APP, "alice") == one


def test_a_user_of_an_unknown_app_is_refused(directory: Directory) -> None:
    with pytest.raises(IdentityError, match="there is no app nowhere"):
        directory.users.upsert("nowhere", "alice", ALICE)


def test_a_deleted_user_is_not_found(directory: Directory) -> None:
    user, _ = directory.users.upsert(DEFAULT_APP, "alice", ALICE)

    assert directory.users.delete(DEFAULT_APP, "alice") == user
    assert directory.users.find(DEFAULT_APP, "alice") is None
    assert directory.users.delete(DEFAULT_APP, "alice") is None
    assert directory.users.delete(DEFAULT_APP, "bob") is None


def test_nothing_said_of_a_deleted_user_is_kept(directory: Directory, clock: Stopwatch) -> None:
    user, _ = directory.users.upsert(DEFAULT_APP, "alice", ALICE)
    clock.now += 10
    directory.users.delete(DEFAULT_APP, "alice")

    with directory.database.reading() as connection:
        (row,) = connection.execute(select(users)).all()

    known = (user.id, DEFAULT_APP, "alice", None, None, None, "{}")
    assert row == (*known, False, 1, clock.now, user.created, clock.now, None)


def test_who_comes_back_is_the_same_with_nothing_known(
    directory: Directory, clock: Stopwatch
) -> None:
    user, _ = directory.users.upsert(DEFAULT_APP, "alice", ALICE)
    directory.users.delete(DEFAULT_APP, "alice")
    clock.now += 10
    back, action = directory.users.upsert(DEFAULT_APP, "alice", NOBODY)

    assert (back.id, back.created, action) == (user.id, clock.now, "created")
    assert back.version > user.version
    assert (back.name, back.image, back.email, back.custom) == (None, None, None, {})
