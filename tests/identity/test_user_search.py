"""Users found by many ids at once, and by a text."""

from collections.abc import Callable
from typing import Any

import pytest

from chatproxy.errors import CallerError
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from tests.identity.databases import on_postgresql, statements
from tests.identity.texts import SQL, TEXTS


def made(directory: Directory, *people: tuple[str, str | None]) -> None:
    for external_id, name in people:
        directory.users.upsert(DEFAULT_APP, external_id, Profile(name))


def searched(directory: Directory, text: str, **options: Any) -> list[str]:
    return [
        user.external_id for user in directory.user_search.by_text(DEFAULT_APP, text, 50, **options)
    ]


def test_many_are_found_by_their_ids(directory: Directory) -> None:
    made(directory, ("alice", "Alice"), ("bob", None), ("carol", "Carol"))
    found = directory.users.find_many(DEFAULT_APP, ["bob", "nobody", "alice", "bob"])

    assert found == {one: directory.users.find(DEFAULT_APP, one) for one in ("alice", "bob")}


def test_each_text_is_found_among_many(directory: Directory) -> None:
    made(directory, *((text, None) for text in TEXTS.values()))

    assert sorted(directory.users.find_many(DEFAULT_APP, TEXTS.values())) == sorted(TEXTS.values())
    assert directory.users.find_many(DEFAULT_APP, ["Alice", "e\u0301", "%", "0"]) == {}


@pytest.mark.parametrize("count", [1, 500, 10_000])
def test_they_take_one_statement(directory: Directory, count: int) -> None:
    made(directory, ("3", None))

    with statements(directory) as seen:
        found = directory.users.find_many(
            DEFAULT_APP, [str(number) for number in range(3, 3 + count)]
        )

    assert list(found) == ["3"]
    assert [statement.split()[0] for statement in seen] == ["SELECT"]


def test_nobody_takes_none(directory: Directory) -> None:
    with statements(directory) as seen:
        assert directory.users.find_many(DEFAULT_APP, []) == {}
        assert directory.user_search.by_text(DEFAULT_APP, "", 50) == []

    assert seen == []


def test_deleted_users_and_those_of_another_app_are_not_found(directory: Directory) -> None:
    directory.apps.create("shop", "shop")
    made(directory, ("1", "Ann"), ("2", "Ann"))
    directory.users.upsert("shop", "3", Profile("Ann"))
    directory.users.delete(DEFAULT_APP, "2")

    assert list(directory.users.find_many(DEFAULT_APP, ["1", "2", "3"])) == ["1"]
    assert searched(directory, "ann") == ["1"]
    assert searched(directory, "2") == searched(directory, "3") == []
    assert directory.user_search.by_text("nowhere", "ann", 50) == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Alice Johnson", "alice"),
        ("Alice Johnson", "E JOHN"),
        ("Ёлка", "ЁЛ"),
        ("ЁЛКА", "ёлка"),
        ("Ὀδυσσεύς", "ὀδυσσ"),
        ("Ærøskøbing", "ÆRØS"),
        ("王小明", "小"),
        ("𐐀𐐁", "𐐨"),
        ("50% off_sale", "% OFF_"),
        ("a/b\\c", "/B\\C"),
        ("a.b*c", ".b*"),
        ("Zoë (x)", "ZOË (X)"),
        ("a\nb", "A\nB"),
    ],
    ids=ascii,
)
def test_a_text_is_found_within_a_name_in_any_case(
    directory: Directory, name: str, text: str
) -> None:
    made(directory, ("1", name), ("2", "Somebody else"), ("3", None))

    assert searched(directory, text) == ["1"]


def test_a_text_is_found_within_an_id_in_any_case(directory: Directory) -> None:
    made(directory, ("User-17", "Ann"), ("пользователь", None))

    assert searched(directory, "uSER-1") == ["User-17"]
    assert searched(directory, "ПОЛЬЗ") == ["пользователь"]


@pytest.mark.parametrize(
    "text", ["%", "_", "a_b", "A%C", "[a]", "a.c", "é.c", "é%", ".*é", "$", "^é"]
)
def test_nothing_in_a_text_is_a_pattern(directory: Directory, text: str) -> None:
    made(directory, ("1", "abc"), ("2", "éac"))

    assert searched(directory, text) == []


def test_who_has_the_text_for_id_is_first_and_the_rest_is_bounded(directory: Directory) -> None:
    made(directory, *((f"{number}", "Ann") for number in range(1, 60)))

    assert searched(directory, "5")[0] == "5"
    assert directory.user_search.by_text(DEFAULT_APP, "ann", 3) == directory.user_search.by_text(
        DEFAULT_APP, "ANN", 3
    )
    assert len(searched(directory, "ann")) == 50


def test_who_is_no_number_is_left_out_before_the_bound(directory: Directory) -> None:
    others = ["", "a", "1a", "a1", "-1", "1.5", " 1", "1\n", "٣", "²"]
    made(directory, *((one or "x", "Ann") for one in others), ("1", "Ann"))
    made(directory, *((f"{n:04}", "Ann") for n in range(5)), ("1" * 17, "Ann"), ("2", "Ann"))
    found = directory.user_search.by_text(DEFAULT_APP, "ann", 2, numbers_only=True)

    assert sorted(user.external_id for user in found) == ["1", "2"]


QUESTIONS: dict[str, Callable[[Directory, str], Any]] = {
    "find many": lambda directory, text: directory.users.find_many(DEFAULT_APP, [text]),
    "search": lambda directory, text: directory.user_search.by_text(DEFAULT_APP, text, 50),
}
every_question = pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)


@every_question
def test_sql_stays_text(directory: Directory, ask: Callable[[Directory, str], Any]) -> None:
    made(directory, ("alice", "Alice"))

    assert not any(ask(directory, text) for text in SQL.values())
    assert directory.users.find(DEFAULT_APP, "alice")


@every_question
def test_half_a_character_is_the_callers_fault(
    directory: Directory, ask: Callable[[Directory, str], Any]
) -> None:
    made(directory, ("alice", "Alice"))

    with pytest.raises(CallerError, match="a text cannot be stored"):
        ask(directory, "a\ud800")

    assert directory.database.fault == ""


@on_postgresql
def test_a_nul_among_ids_is_too_for_postgresql(directory: Directory) -> None:
    with pytest.raises(CallerError, match="a text cannot be stored"):
        directory.users.find_many(DEFAULT_APP, ["a\0"])


def test_a_nul_finds_nobody(directory: Directory) -> None:
    made(directory, ("alice", "Alice"))

    assert searched(directory, "alice\0") == searched(directory, "\0") == []
