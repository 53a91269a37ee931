"""Badges: counts by source, kept in the directory."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import insert, select, text

from chatproxy.errors import IdentityError, MalformedBody
from chatproxy.identity.badges import MOST_CLIENTS, MOST_SOURCES
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.tables import badges
from tests.identity.databases import statements

ALWAYS = ("badge", "news")
ZEROS = dict.fromkeys(ALWAYS, 0)
WAITED = 30


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
        badge = directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "orders", count)

    assert badge.client_id == "alice"
    assert badge.counts == {"badge": 0, "news": 0, "orders": 7}
    assert badge.total == 7


def test_the_total_is_the_sum_of_all_sources(directory: Directory) -> None:
    for source, count in (("orders", 300), ("Orders", 4000), ("news", 20), ("badge", 1)):
        badge = directory.badges(ALWAYS).set(DEFAULT_APP, "alice", source, count)

    analyse(directory)
    badge = directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])[0]

    assert list(badge.counts.items()) == [
        ("badge", 1),
        ("news", 20),
        ("Orders", 4000),
        ("orders", 300),
    ]
    assert badge.total == 4321
    assert directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "badge", 1) == badge
    assert directory.badges(ALWAYS).all(DEFAULT_APP) == [badge]
    assert directory.badges(ALWAYS).total(DEFAULT_APP, "alice") == 4321


def test_a_total_may_be_beyond_what_one_count_can_be(directory: Directory) -> None:
    for source in ("a", "b", "c", "d", "e"):
        directory.badges(ALWAYS).set(DEFAULT_APP, "alice", source, 10**9)

    assert directory.badges(ALWAYS).total(DEFAULT_APP, "alice") == 5 * 10**9
    assert directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])[0].total == 5 * 10**9


def test_whoever_is_unknown_is_made_with_zeros(directory: Directory) -> None:
    (badge,) = directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])

    assert badge.counts == ZEROS
    assert rows(directory) == [("alice", "badge", 0), ("alice", "news", 0)]


def test_a_first_count_makes_the_client_whole(directory: Directory) -> None:
    directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "orders", 3)

    assert rows(directory) == [
        ("alice", "badge", 0),
        ("alice", "news", 0),
        ("alice", "orders", 3),
    ]


def test_clients_come_in_the_order_asked_for(directory: Directory) -> None:
    directory.badges(ALWAYS).set(DEFAULT_APP, "bob", "orders", 3)
    found = directory.badges(ALWAYS).of(DEFAULT_APP, ["carol", "bob", "alice", "bob"])

    assert [badge.client_id for badge in found] == ["carol", "bob", "alice", "bob"]
    assert [badge.total for badge in found] == [0, 3, 0, 3]


def test_reading_what_is_known_writes_nothing(directory: Directory) -> None:
    directory.badges(ALWAYS).of(DEFAULT_APP, ["alice", "bob"])

    with statements(directory) as seen:
        directory.badges(ALWAYS).of(DEFAULT_APP, ["bob", "alice"])
        directory.badges(ALWAYS).all(DEFAULT_APP)

    assert writes(seen) == []


def test_setting_a_known_source_writes_one_row(directory: Directory) -> None:
    directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "orders", 3)

    with statements(directory) as seen:
        directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "orders", 4)

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

    for client_id in ids:  # one by one, so that the rows lie in this order
        directory.badges(ALWAYS).of(DEFAULT_APP, [client_id])

    directory.badges(ALWAYS).set(DEFAULT_APP, "b", "orders", 3)
    analyse(directory)

    assert [badge.client_id for badge in directory.badges(ALWAYS).all(DEFAULT_APP)] == sorted(ids)
    assert [badge.client_id for badge in directory.badges(ALWAYS).all(DEFAULT_APP, most=2)] == [
        "10",
        "9",
    ]


def test_another_apps_clients_take_no_place_in_the_list(directory: Directory) -> None:
    directory.apps.create("Other", "other")
    directory.badges(ALWAYS).of("other", ["a", "b"])
    directory.badges(ALWAYS).of(DEFAULT_APP, ["c"])

    assert [badge.client_id for badge in directory.badges(ALWAYS).all(DEFAULT_APP, most=1)] == ["c"]


def test_all_are_1000_at_most(directory: Directory) -> None:
    directory.badges(ALWAYS).of(DEFAULT_APP, [str(number) for number in range(MOST_CLIENTS + 1)])

    assert len(directory.badges(ALWAYS).all(DEFAULT_APP)) == MOST_CLIENTS == 1000


def test_a_client_of_the_bounded_list_is_whole(directory: Directory) -> None:
    directory.badges(ALWAYS).set(DEFAULT_APP, "a", "orders", 3)
    directory.badges(ALWAYS).set(DEFAULT_APP, "b", "orders", 4)
    (badge,) = directory.badges(ALWAYS).all(DEFAULT_APP, most=1)

    assert (badge.client_id, badge.counts) == ("a", ZEROS | {"orders": 3})


def test_apps_know_nothing_of_each_other(directory: Directory) -> None:
    directory.apps.create("Other", "other")
    directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "orders", 3)
    directory.badges(ALWAYS).set("other", "alice", "visits", 4)

    assert directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])[0].counts == ZEROS | {"orders": 3}
    assert directory.badges(ALWAYS).all("other")[0].counts == ZEROS | {"visits": 4}
    assert directory.badges(ALWAYS).total("other", "alice") == 4


@pytest.mark.parametrize(
    "ask",
    [
        lambda found: found.of("nowhere", ["alice"]),
        lambda found: found.set("nowhere", "alice", "orders", 1),
        lambda found: found.set("nowhere", "alice", "badge", 1),
    ],
)
def test_no_such_app_is_said(directory: Directory, ask: Callable[..., object]) -> None:
    with pytest.raises(IdentityError, match="nowhere"):
        ask(directory.badges(ALWAYS))

    assert rows(directory) == []


def test_a_user_who_is_deleted_leaves_no_badge(directory: Directory) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile())
    directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "orders", 3)
    directory.badges(ALWAYS).set(DEFAULT_APP, "bob", "orders", 4)
    directory.users.delete(DEFAULT_APP, "alice")

    assert directory.badges(ALWAYS).total(DEFAULT_APP, "alice") == 0
    assert [badge.client_id for badge in directory.badges(ALWAYS).all(DEFAULT_APP)] == ["bob"]


def test_a_row_that_lacks_beside_others_is_0(directory: Directory) -> None:
    """As a deletion between two statements of another writer may leave it."""
    with directory.database.writing() as connection:
        row = {"app_id": DEFAULT_APP, "client_id": "alice", "source": "orders", "count": 3}
        connection.execute(insert(badges).values(row))

    assert directory.badges(ALWAYS).of(DEFAULT_APP, ["alice"])[0].counts == ZEROS | {"orders": 3}
    assert directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "news", 2).counts == {
        "badge": 0,
        "news": 2,
        "orders": 3,
    }


def test_a_client_has_100_sources_at_most(directory: Directory) -> None:
    others = [f"source-{number}" for number in range(MOST_SOURCES - 2)]

    for source in others:
        directory.badges(ALWAYS).set(DEFAULT_APP, "alice", source, 1)

    with pytest.raises(MalformedBody, match="at most 100"):
        directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "one-more", 1)

    assert (
        directory.badges(ALWAYS).set(DEFAULT_APP, "alice", others[0], 9).total == MOST_SOURCES + 6
    )
    assert directory.badges(ALWAYS).set(DEFAULT_APP, "bob", "one-more", 1).total == 1


def test_of_many_new_sources_at_once_no_more_than_100_are_taken(directory: Directory) -> None:
    for number in range(MOST_SOURCES - 2 - 3):
        directory.badges(ALWAYS).set(DEFAULT_APP, "alice", f"source-{number}", 1)

    done = at_once(
        *(
            lambda source=f"new-{number}": directory.badges(ALWAYS).set(
                DEFAULT_APP, "alice", source, 1
            )
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
                lambda count=count, client=client: directory.badges(ALWAYS).set(
                    DEFAULT_APP, client, "orders", count
                )
                for count in range(1, 9)
            )
        )

        assert [one.total for one in done] == list(range(1, 9)), done
        assert directory.badges(ALWAYS).total(DEFAULT_APP, client) in range(1, 9)


def test_many_at_once_may_bring_the_100th_source(directory: Directory) -> None:
    for number in range(MOST_SOURCES - 2 - 1):
        directory.badges(ALWAYS).set(DEFAULT_APP, "alice", f"source-{number}", 1)

    done = at_once(
        *([lambda: directory.badges(ALWAYS).set(DEFAULT_APP, "alice", "the-last", 1)] * 8)
    )

    assert [getattr(one, "total", one) for one in done] == [MOST_SOURCES - 2] * 8


def test_lists_of_new_clients_at_once_do_not_lock_each_other(directory: Directory) -> None:
    for round_ in range(3):
        ids = [f"{round_}-{number}" for number in range(200)]
        done = at_once(
            lambda ids=ids: directory.badges(ALWAYS).of(DEFAULT_APP, ids),
            lambda ids=ids: directory.badges(ALWAYS).of(DEFAULT_APP, ids[::-1]),
            lambda ids=ids: directory.badges(ALWAYS).set(DEFAULT_APP, ids[100], "orders", 1),
            lambda ids=ids: directory.badges(ALWAYS).set(DEFAULT_APP, ids[150], "a", 1),
        )

        assert not any(isinstance(one, Exception) for one in done), done
        assert sum(badge.total for badge in directory.badges(ALWAYS).of(DEFAULT_APP, ids)) == 2
