"""Databases of every encoding and locale: what they can hold is found, the rest is told."""

import contextlib
from collections.abc import Callable, Iterator

import psycopg
import pytest

from chatproxy.errors import CallerError, DirectoryUnavailable
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Condition, Profile
from chatproxy.identity.schema import upgrade
from tests.databases import odd_database
from tests.identity.databases import on_postgresql

pytestmark = on_postgresql

C = "LC_COLLATE 'C' LC_CTYPE 'C'"
MEND = "run `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0`"

#: How a database is made, and names that it can hold, each in two cases.
KINDS = {
    "UTF8": (f"ENCODING 'UTF8' {C}", [("jörg", "JÖRG"), ("ёлка", "ЁЛКА"), ("info", "INFO")]),
    "SQL_ASCII": (f"ENCODING 'SQL_ASCII' {C}", [("jörg", "JÖRG"), ("ёлка", "ЁЛКА")]),
    "LATIN1": (f"ENCODING 'LATIN1' {C}", [("jörg", "JÖRG"), ("ÿves", "ÿVES"), ("µ", "µ")]),
    "WIN1252": (f"ENCODING 'WIN1252' {C}", [("jörg", "JÖRG"), ("ÿves", "ŸVES")]),
    "EUC_JP": (f"ENCODING 'EUC_JP' {C}", [("jörg", "JÖRG"), ("王小明", "王小明")]),
    "KOI8R": (f"ENCODING 'KOI8R' {C}", [("ёлка", "ЁЛКА")]),
    "Turkish": (
        "ENCODING 'UTF8' LOCALE_PROVIDER icu ICU_LOCALE 'tr' LC_COLLATE 'C.UTF-8' "
        "LC_CTYPE 'C.UTF-8'",
        [("jörg", "JÖRG"), ("info", "INFO")],
    ),
}

Made = Callable[[str], Directory]


@pytest.fixture
def made(opened: Callable[..., Directory]) -> Iterator[Made]:
    """Make a database and open it."""
    with contextlib.ExitStack() as stack:

        def make(options: str) -> Directory:
            return opened(url=stack.enter_context(odd_database(options)))

        yield make


def named(directory: Directory, name: str) -> set[str | None]:
    """Who is found by the name, by each way to search."""
    holds = [Condition("name", "holds", (name,), any_case=True)]
    begins = [Condition("name", "begins", (name,), any_case=True)]
    users = directory.user_search.by_text(DEFAULT_APP, name, 10)
    pages = [directory.user_search.page(DEFAULT_APP, one, 0, 10)[0] for one in (holds, begins)]
    (same,) = {frozenset(user.name for user in one) for one in (users, *pages)}
    return set(same)


@pytest.mark.parametrize(("options", "names"), KINDS.values(), ids=KINDS)
def test_a_name_is_found_in_any_case(
    made: Made, options: str, names: list[tuple[str, str]]
) -> None:
    directory = made(options)
    upgrade(directory.database)

    for name in {name for both in names for name in both}:
        directory.users.upsert(DEFAULT_APP, f"user {name}", Profile(name))
        assert directory.users.find(DEFAULT_APP, f"user {name}").name == name

    for one, other in names:
        assert named(directory, one) == named(directory, other) == {one, other}

    directory.database.ping()
    assert directory.database.fault == ""
    assert (MEND in directory.database.advice) is ("UTF8" not in options)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("LATIN1", "王小明"), ("LATIN1", "Ōe"), ("EUC_JP", "🐈"), ("SQL_ASCII", "ö" * 200)],
)
def test_a_text_that_the_database_cannot_hold_is_the_callers(
    made: Made, kind: str, text: str
) -> None:
    directory = made(KINDS[kind][0])
    upgrade(directory.database)

    with pytest.raises(CallerError, match="a text cannot be stored: "):
        directory.users.upsert(DEFAULT_APP, text, Profile())

    assert directory.database.fault == ""
    assert directory.apps.list()


def test_a_stored_text_that_is_none_is_not_the_callers(made: Made) -> None:
    directory = made(KINDS["SQL_ASCII"][0])
    upgrade(directory.database)
    directory.users.upsert(DEFAULT_APP, "1", Profile("jörg"))

    with directory.database.writing() as connection:
        driver = connection.connection.dbapi_connection
        assert isinstance(driver, psycopg.Connection)
        driver.execute("SET LOCAL client_encoding = 'sql_ascii'")
        driver.execute(b"UPDATE users SET name = 'J\xf6rg'")

    directory.close()

    with pytest.raises(DirectoryUnavailable) as caught:
        directory.users.find(DEFAULT_APP, "1")

    assert "invalid byte sequence" in caught.value.detail


def test_an_encoding_that_the_server_cannot_convert_is_one_message(made: Made) -> None:
    directory = made(f"ENCODING 'MULE_INTERNAL' {C}")

    for question in (lambda: upgrade(directory.database), directory.database.ping):
        with pytest.raises(DirectoryUnavailable) as caught:
            question()

        assert MEND in caught.value.detail
        assert "\n" not in caught.value.detail
