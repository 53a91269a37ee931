"""Badges: counts by source, kept in the directory."""

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, text

from chatproxy.errors import IdentityError, MalformedBody, NoRoom
from chatproxy.identity.badges import COUNTED_FOR, MOST_LISTED, MOST_SOURCES
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Badge, Profile
from chatproxy.identity.tables import badges
from tests.identity.databases import statements
from tests.stopwatch import Stopwatch

ALWAYS = ("badge", "news")
ZEROS = dict.fromkeys(ALWAYS, 0)
WAITED = 30


def put(
    directory: Directory, app_id: str, client_id: str, source: str, count: int, most: int = 10**6
) -> Badge:
    return directory.badges(ALWAYS).set(app_id, client_id, source, count, most_clients=most)


def make(directory: Directory, app_id: str, client_ids: Iterable[str]) -> None:
    for client_id in client_ids:
        put(directory, app_id, client_id, "badge", 0)


def writes(seen: Sequence[str]) -> list[str]:
    return [one for one in seen if one.startswith(("INSERT", "UPDATE", "DELETE"))]


def rows(directory: Directory) -> list[tuple[str, str, int]]:
    columns = (badges.c.client_id, badges.c.source, badges.c.count)

    with directory.database.reading() as connection:
        return sorted(tuple(row) for row in connection.execute(select(*columns)))


def analyse(directory: Directory) -> None:
    """Let PostgreSQL know that the table is small: then it reads the rows as they lie."""
    with directory.database.writing() as connection:
        connection.execute(text("ANALYZE badges"))


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do all at the same moment; return what each returned or raised."""
    barrier = threading.Barrier(len(acts))

    def act_then(act: Callable[[], object]) -> object:
        barrier.wait(WAITED)

        try:
            return act()
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(act_then, acts))


def test_a_count_is_set_not_added(directory: Directory) -> None:
    for count in (5, 7, 7):
        badge = put(directory, DEFAULT_APP, "alice", "orders", count)

    assert badge.client_id == "alice"
    assert badge.counts == {"badge": 0, "news": 0, "orders": 7}
    assert badge.total == 7


def test_the_total_is_the_sum_of_all_sources(directory: Directory) -> None:
    for source, count in (("orders", 300), ("Orders", 4000), ("news", 20), ("badge", 1)):
        badge = put(directory, DEFAULT_APP, "alice", source, count)

    analyse(directory)
    badge = directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])[0]

    assert list(badge.counts.items()) == [
        ("badge", 1),
        ("news", 20),
        ("Orders", 4000),
        ("orders", 300),
    ]
    assert badge.total == 4321
    assert put(directory, DEFAULT_APP, "alice", "badge", 1) == badge
    assert directory.badges(ALWAYS).all(DEFAULT_APP) == [badge]
    assert directory.badges(ALWAYS).total(DEFAULT_APP, "alice") == 4321


def test_a_total_may_be_beyond_what_one_count_can_be(directory: Directory) -> None:
    for source in ("a", "b", "c", "d", "e"):
        put(directory, DEFAULT_APP, "alice", source, 10**9)

    assert directory.badges(ALWAYS).total(DEFAULT_APP, "alice") == 5 * 10**9
    assert directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])[0].total == 5 * 10**9


def test_whoever_is_unknown_has_zeros_and_is_not_made(directory: Directory) -> None:
    (badge,) = directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])

    assert badge.counts == ZEROS
    assert rows(directory) == []


def test_a_first_count_makes_the_client_whole(directory: Directory) -> None:
    put(directory, DEFAULT_APP, "alice", "orders", 3)

    assert rows(directory) == [
        ("alice", "badge", 0),
        ("alice", "news", 0),
        ("alice", "orders", 3),
    ]


def test_clients_come_in_the_order_asked_for(directory: Directory) -> None:
    put(directory, DEFAULT_APP, "bob", "orders", 3)
    found = directory.badges(ALWAYS).of(DEFAULT_APP, ["carol", "bob", "alice", "bob"])

    assert [badge.client_id for badge in found] == ["carol", "bob", "alice", "bob"]
    assert [badge.total for badge in found] == [0, 3, 0, 3]


def test_reading_writes_nothing(directory: Directory) -> None:
    make(directory, DEFAULT_APP, ["alice"])

    with statements(directory) as seen:
        directory.badges(ALWAYS).of(DEFAULT_APP, ["bob", "alice"])
        directory.badges(ALWAYS).all(DEFAULT_APP)

    assert writes(seen) == []


def test_setting_a_known_source_writes_one_row(directory: Directory) -> None:
    put(directory, DEFAULT_APP, "alice", "orders", 3)

    with statements(directory) as seen:
        put(directory, DEFAULT_APP, "alice", "orders", 4)

    assert len(writes(seen)) == 1


def test_nobody_asked_for_is_asked_of_nobody(directory: Directory) -> None:
    with statements(directory) as seen:
        assert directory.badges(ALWAYS).of(DEFAULT_APP, []) == []

    assert seen == []


def test_the_total_of_an_unknown_client_is_0_and_makes_nobody(directory: Directory) -> None:
    assert directory.badges(ALWAYS).total(DEFAULT_APP, "alice") == 0
    assert rows(directory) == []


def test_all_are_listed_by_id_up_to_the_bound(directory: Directory) -> None:
    ids = ["b", "B", "é", "a", "10", "9", "\U0001f600"]

    make(directory, DEFAULT_APP, ids)  # one by one, so that the rows lie in this order
    put(directory, DEFAULT_APP, "b", "orders", 3)
    analyse(directory)

    assert [badge.client_id for badge in directory.badges(ALWAYS).all(DEFAULT_APP)] == sorted(ids)
    assert [badge.client_id for badge in directory.badges(ALWAYS).all(DEFAULT_APP, most=2)] == [
        "10",
        "9",
    ]


def test_another_apps_clients_take_no_place_in_the_list(directory: Directory) -> None:
    directory.apps.create("Other", "other")
    make(directory, "other", ["a", "b"])
    make(directory, DEFAULT_APP, ["c"])

    assert [badge.client_id for badge in directory.badges(ALWAYS).all(DEFAULT_APP, most=1)] == ["c"]


def test_all_are_1000_at_most(directory: Directory) -> None:
    rows_of_all = [
        {"app_id": DEFAULT_APP, "client_id": str(number), "source": "badge", "count": 0}
        for number in range(MOST_LISTED + 1)
    ]

    with directory.database.writing() as connection:
        connection.execute(insert(badges), rows_of_all)

    assert len(directory.badges(ALWAYS).all(DEFAULT_APP)) == MOST_LISTED == 1000


def test_a_client_of_the_bounded_list_is_whole(directory: Directory) -> None:
    put(directory, DEFAULT_APP, "a", "orders", 3)
    put(directory, DEFAULT_APP, "b", "orders", 4)
    (badge,) = directory.badges(ALWAYS).all(DEFAULT_APP, most=1)

    assert (badge.client_id, badge.counts) == ("a", ZEROS | {"orders": 3})


def test_apps_know_nothing_of_each_other(directory: Directory) -> None:
    directory.apps.create("Other", "other")
    put(directory, DEFAULT_APP, "alice", "orders", 3)
    put(directory, "other", "alice", "visits", 4)

    assert directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])[0].counts == ZEROS | {"orders": 3}
    assert directory.badges(ALWAYS).all("other")[0].counts == ZEROS | {"visits": 4}
    assert directory.badges(ALWAYS).total("other", "alice") == 4


@pytest.mark.parametrize(
    "ask",
    [
        lambda found: put(found, "nowhere", "alice", "orders", 1),
        lambda found: put(found, "nowhere", "alice", "badge", 1),
    ],
)
def test_no_such_app_is_said(directory: Directory, ask: Callable[..., object]) -> None:
    with pytest.raises(IdentityError, match="nowhere"):
        ask(directory)

    assert rows(directory) == []


def test_a_user_who_is_deleted_leaves_no_badge(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile())
    put(directory, DEFAULT_APP, "alice", "orders", 3)
    put(directory, DEFAULT_APP, "bob", "orders", 4)
    directory.users.delete(DEFAULT_APP, "alice")

    assert directory.badges(ALWAYS).total(DEFAULT_APP, "alice") == 0
    assert [badge.client_id for badge in directory.badges(ALWAYS).all(DEFAULT_APP)] == ["bob"]


def test_a_row_that_lacks_beside_others_is_0(directory: Directory) -> None:
    """As a deletion between two statements of another writer may leave it."""
    with directory.database.writing() as connection:
        row = {"app_id": DEFAULT_APP, "client_id": "alice", "source": "orders", "count": 3}
        connection.execute(insert(badges).values(row))

    assert directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])[0].counts == ZEROS | {"orders": 3}
    assert put(directory, DEFAULT_APP, "alice", "news", 2).counts == {
        "badge": 0,
        "news": 2,
        "orders": 3,
    }


def test_a_client_has_100_sources_at_most(directory: Directory) -> None:
    others = [f"source-{number}" for number in range(MOST_SOURCES - 2)]

    for source in others:
        put(directory, DEFAULT_APP, "alice", source, 1)

    with pytest.raises(MalformedBody, match="at most 100"):
        put(directory, DEFAULT_APP, "alice", "one-more", 1)

    assert put(directory, DEFAULT_APP, "alice", others[0], 9).total == MOST_SOURCES + 6
    assert put(directory, DEFAULT_APP, "bob", "one-more", 1).total == 1


def test_of_many_new_sources_at_once_no_more_than_100_are_taken(directory: Directory) -> None:
    for number in range(MOST_SOURCES - 2 - 3):
        put(directory, DEFAULT_APP, "alice", f"source-{number}", 1)

    done = at_once(
        *(
            lambda source=f"new-{number}": put(directory, DEFAULT_APP, "alice", source, 1)
            for number in range(12)
        )
    )

    assert sum(isinstance(one, MalformedBody) for one in done) == 9, done
    assert len(directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])[0].counts) == MOST_SOURCES


def test_many_at_once_who_set_one_new_source_make_one(directory: Directory) -> None:
    for round_ in range(5):
        client = f"client-{round_}"
        done = at_once(
            *(
                lambda count=count, client=client: put(
                    directory, DEFAULT_APP, client, "orders", count
                )
                for count in range(1, 9)
            )
        )

        assert [one.total for one in done] == list(range(1, 9)), done
        assert directory.badges(ALWAYS).total(DEFAULT_APP, client) in range(1, 9)


def test_many_at_once_may_bring_the_100th_source(directory: Directory) -> None:
    for number in range(MOST_SOURCES - 2 - 1):
        put(directory, DEFAULT_APP, "alice", f"source-{number}", 1)

    done = at_once(*([lambda: put(directory, DEFAULT_APP, "alice", "the-last", 1)] * 8))

    assert [getattr(one, "total", one) for one in done] == [MOST_SOURCES - 2] * 8


def test_an_app_has_no_more_clients_than_it_may(directory: Directory) -> None:
    make(directory, DEFAULT_APP, ["alice"])
    put(directory, DEFAULT_APP, "bob", "orders", 1, most=2)

    with pytest.raises(NoRoom, match="2 clients"):
        put(directory, DEFAULT_APP, "carol", "orders", 1, most=2)

    assert {client for client, _, _ in rows(directory)} == {"alice", "bob"}
    assert put(directory, DEFAULT_APP, "alice", "visits", 3, most=2).total == 3
    assert put(directory, DEFAULT_APP, "bob", "orders", 4, most=2).total == 4


def test_apps_take_no_place_from_each_other(directory: Directory) -> None:
    directory.apps.create("Other", "other")
    put(directory, DEFAULT_APP, "alice", "orders", 1, most=1)

    assert put(directory, "other", "bob", "orders", 1, most=1).total == 1


def test_a_place_that_became_free_is_given_away(worker: Directory, elapsed: Stopwatch) -> None:
    worker.users.upsert(DEFAULT_APP, "alice", Profile())
    put(worker, DEFAULT_APP, "alice", "orders", 1, most=1)

    with pytest.raises(NoRoom):
        put(worker, DEFAULT_APP, "bob", "orders", 1, most=1)

    worker.users.delete(DEFAULT_APP, "alice")
    elapsed.now += COUNTED_FOR

    assert put(worker, DEFAULT_APP, "bob", "orders", 1, most=1).total == 1


def test_whoever_has_no_place_costs_no_count(directory: Directory) -> None:
    put(directory, DEFAULT_APP, "alice", "orders", 1, most=1)

    with statements(directory) as seen:
        for number in range(5):
            with pytest.raises(NoRoom):
                put(directory, DEFAULT_APP, str(number), "orders", 1, most=1)

    assert [one for one in seen if "count(*)" in one] == []


def test_new_clients_at_once_do_not_lock_each_other(directory: Directory) -> None:
    for round_ in range(3):
        ids = [f"{round_}-{number}" for number in range(4)]
        done = at_once(
            *(
                lambda one=one, source=source: put(directory, DEFAULT_APP, one, source, 1)
                for one in ids
                for source in ("orders", "a")
            )
        )

        assert not any(isinstance(one, Exception) for one in done), done
        assert sum(badge.total for badge in directory.badges(ALWAYS).of(DEFAULT_APP, ids)) == 8
