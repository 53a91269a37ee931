"""Ids and names of every script, and texts that no database takes."""

from collections.abc import Callable
from typing import Any

import pytest

from chatproxy.errors import CallerError
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.token_records import Issued
from tests.identity.databases import on_postgresql
from tests.identity.texts import SQL, TEXTS

Question = Callable[[Directory, str], Any]

QUESTIONS: dict[str, Question] = {
    "upsert": lambda directory, text: directory.users.upsert(DEFAULT_APP, text, Profile()),
    "name": lambda directory, text: directory.users.upsert(DEFAULT_APP, "a", Profile(name=text)),
    "find": lambda directory, text: directory.users.find(DEFAULT_APP, text),
    "delete": lambda directory, text: directory.users.delete(DEFAULT_APP, text),
    "check": lambda directory, text: directory.tokens.check(Issued(DEFAULT_APP, text, None, 1, 2)),
    "token id": lambda directory, text: directory.tokens.check(
        Issued(DEFAULT_APP, "a", text, 1, 2)
    ),
    "revoke user": lambda directory, text: directory.tokens.revoke_user(DEFAULT_APP, text),
    "revoke token": lambda directory, text: directory.tokens.revoke_token(DEFAULT_APP, text, 9e9),
}

every_question = pytest.mark.parametrize("ask", QUESTIONS.values(), ids=QUESTIONS)


def test_each_text_is_the_id_of_one_user(directory: Directory) -> None:
    ids = {
        text: directory.users.upsert(DEFAULT_APP, text, Profile())[0].id for text in TEXTS.values()
    }
    found = {text: directory.users.find(DEFAULT_APP, text) for text in TEXTS.values()}

    assert len(set(ids.values())) == len(TEXTS)
    assert {text: user and user.id for text, user in found.items()} == ids


def test_each_text_comes_back_from_every_field(directory: Directory) -> None:
    for text in TEXTS.values():
        said = Profile(text, text, text, {text: text, "list": [text]})
        directory.users.upsert(DEFAULT_APP, text, said)
        user = directory.users.find(DEFAULT_APP, text)

        assert user is not None
        assert Profile(user.name, user.image, user.email, user.custom) == said
        assert user.external_id == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("alice", "Alice"),
        ("é", "e\u0301"),
        ("ａ", "a"),
        ("a", "a "),
        ("ß", "ss"),
        ("İ", "i"),
        ("½", "1⁄2"),
    ],
    ids=ascii,
)
def test_look_alikes_are_two_users(directory: Directory, one: str, other: str) -> None:
    directory.users.upsert(DEFAULT_APP, one, Profile())

    assert directory.users.find(DEFAULT_APP, other) is None
    assert directory.users.upsert(DEFAULT_APP, other, Profile())[1] == "created"


@every_question
def test_sql_stays_text_in_every_question(directory: Directory, ask: Question) -> None:
    directory.users.upsert(DEFAULT_APP, "alice", Profile())

    for text in SQL.values():
        ask(directory, text)

    assert directory.users.find(DEFAULT_APP, "alice")
    assert directory.tokens.check(Issued(DEFAULT_APP, "alice", None, 1, 2)).version == 0


@every_question
def test_half_a_character_is_the_callers_fault(directory: Directory, ask: Question) -> None:
    with pytest.raises(CallerError, match="a text cannot be stored"):
        ask(directory, "a\ud800")

    assert directory.database.fault == ""


def test_half_a_character_in_metadata_is_too(directory: Directory) -> None:
    with pytest.raises(CallerError, match="a text cannot be stored"):
        directory.users.upsert(DEFAULT_APP, "alice", Profile(custom={"a": ["\ud800"]}))

    assert directory.users.find(DEFAULT_APP, "alice") is None


@on_postgresql
@every_question
def test_a_nul_for_postgresql_is_the_callers_fault(directory: Directory, ask: Question) -> None:
    with pytest.raises(CallerError, match="a text cannot be stored"):
        ask(directory, "a\0")

    assert directory.database.fault == ""


@on_postgresql
def test_an_id_too_long_is_the_callers_fault(directory: Directory) -> None:
    with pytest.raises(CallerError, match="a text cannot be stored") as caught:
        directory.users.upsert(DEFAULT_APP, "x" * 256, Profile())

    assert "x" * 256 not in caught.value.detail
    assert directory.database.fault == ""
