"""Many at once who name, change or forget the same user."""

import collections
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import Pool
from typing import Any

from sqlalchemy import func, select

from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.tables import users
from tests.identity.elsewhere import upsert_together

MANY = 8


def together(act: Callable[[int], Any]) -> list[Any]:
    """Do something in many threads at the same moment; return all results."""
    barrier = threading.Barrier(MANY)

    def act_then(number: int) -> Any:
        barrier.wait(30)
        return act(number)

    with ThreadPoolExecutor(MANY) as pool:
        return list(pool.map(act_then, range(MANY)))


def count(directory: Directory) -> int | None:
    with directory.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(users)).scalar()


def test_many_at_once_make_one_user(directory: Directory) -> None:
    for round_ in range(5):
        made = together(
            lambda _, name=f"user-{round_}": directory.users.upsert(DEFAULT_APP, name, Profile())
        )

        assert len({user.id for user, _ in made}) == 1
        assert sorted({action for _, action in made}) == ["created", "existing"]
        assert sum(action == "created" for _, action in made) == 1

    assert count(directory) == 5


def test_two_processes_at_once_make_one_user(
    directory: Directory, database_url: str, processes: Pool
) -> None:
    ids = [f"user-{number}" for number in range(50)]
    actions = processes.starmap(upsert_together, [(database_url, ids)] * 2)

    assert collections.Counter([*actions[0], *actions[1]]) == {"created": 50, "existing": 50}
    assert count(directory) == 50


def test_metadata_of_many_at_once_is_all_merged(directory: Directory) -> None:
    together(
        lambda number: directory.users.upsert(
            DEFAULT_APP, "alice", Profile(custom={str(number): number})
        )
    )
    user = directory.users.find(DEFAULT_APP, "alice")

    assert user is not None
    assert user.custom == {str(number): number for number in range(MANY)}


def test_revocations_at_once_are_each_counted(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile())
    together(lambda _: directory.tokens.revoke_user(DEFAULT_APP, "alice"))
    user = directory.users.find(DEFAULT_APP, "alice")

    assert user is not None
    assert user.version == MANY


def test_coming_and_going_at_once_ends_whole(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile())
    together(
        lambda number: (
            directory.users.delete(DEFAULT_APP, "alice")
            if number % 2
            else directory.users.upsert(DEFAULT_APP, "alice", Profile(name="Alice"))
        )
    )
    directory.users.upsert(DEFAULT_APP, "alice", Profile(name="Alice"))
    user = directory.users.find(DEFAULT_APP, "alice")

    assert user is not None
    assert (user.name, user.active) == ("Alice", True)
    assert count(directory) == 1
