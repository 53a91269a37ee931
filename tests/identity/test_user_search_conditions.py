"""Users found by what their fields must be: the same on both databases."""

from collections.abc import Callable, Iterable, Sequence

import pytest

from chatproxy.errors import CallerError
from chatproxy.identity.any_case import MOST_REPLACED
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Condition, Field, Operator, Profile, User
from tests.identity.databases import on_postgresql, on_sqlite, statements
from tests.identity.texts import SQL, TEXTS
from tests.stopwatch import Stopwatch

ALL = 1000
OPERATORS: Sequence[Operator] = ("in", "holds", "begins")

#: Names that differ in case, in an accent, or in what could be a pattern.
NAMES = [
    "Alice Johnson",
    "alice johnson",
    "Malice",
    "École",
    "école",
    "ecole",
    "e\u0301cole",
    "İpek",
    "straße",
    "STRAẞE",
    "STRASSE",
    "50% off",
    "50x off",
    "a_b",
    "axb",
    "a\\b",
    "a\\\\b",
    "a/b",
    "it's",
    "it''s",
    'say "hi"',
    "x\nalice",
    "王小明",
    "",
]

#: Names are found by operator, text and case.
EXPECTED: dict[tuple[Operator, str, bool], Iterable[str]] = {
    ("holds", "lice", False): ["Alice Johnson", "alice johnson", "Malice", "x\nalice"],
    ("holds", "Ali", False): ["Alice Johnson"],
    ("holds", "aLI", True): ["Alice Johnson", "alice johnson", "Malice", "x\nalice"],
    ("begins", "ali", False): ["alice johnson"],
    ("begins", "aLI", False): [],
    ("begins", "aLI", True): ["Alice Johnson", "alice johnson"],
    ("begins", "lice", True): [],
    ("holds", "école", False): ["école"],
    ("holds", "école", True): ["École", "école"],
    ("holds", "ÉCO", True): ["École", "école"],
    ("begins", "É", False): ["École"],
    ("begins", "É", True): ["École", "école"],
    ("begins", "COLÉ", True): [],
    ("holds", "ecole", True): ["ecole"],
    ("holds", "e\u0301C", True): ["e\u0301cole"],
    ("begins", "İpek", True): ["İpek"],
    ("holds", "İPEK", True): ["İpek"],
    ("holds", "İ", False): ["İpek"],
    ("holds", "ß", False): ["straße"],
    ("holds", "ẞ", False): ["STRAẞE"],
    ("holds", "ß", True): ["straße", "STRAẞE"],
    ("holds", "RAẞ", True): ["straße", "STRAẞE"],
    ("holds", "rass", True): ["STRASSE"],
    ("holds", "%", False): ["50% off"],
    ("holds", "0% O", True): ["50% off"],
    ("begins", "%", True): [],
    ("begins", "50%", False): ["50% off"],
    ("holds", "_", False): ["a_b"],
    ("holds", "A_B", True): ["a_b"],
    ("begins", "A_", True): ["a_b"],
    ("holds", "\\", False): ["a\\b", "a\\\\b"],
    ("holds", "\\", True): ["a\\b", "a\\\\b"],
    ("holds", "\\\\", True): ["a\\\\b"],
    ("begins", "A\\B", True): ["a\\b"],
    ("holds", "/", True): ["a/b"],
    ("holds", "'", False): ["it's", "it''s"],
    ("holds", "''", True): ["it''s"],
    ("begins", 'SAY "', True): ['say "hi"'],
    ("holds", "小", False): ["王小明"],
    ("holds", "小", True): ["王小明"],
    ("begins", "小", True): [],
    ("begins", "^a", True): [],
    ("holds", ".", True): [],
    ("holds", "É.", True): [],
    ("holds", "[é]", True): [],
    ("holds", "é|e", True): [],
    ("holds", "", False): NAMES,
    ("begins", "", False): NAMES,
    ("holds", "", True): NAMES,
    ("begins", "", True): NAMES,
}


@pytest.fixture
def named(directory: Directory) -> Callable[[Iterable[str]], Directory]:
    """Make users with these names, and one with none."""

    def make(names: Iterable[str]) -> Directory:
        profiles = {f"{number:03}": Profile(name) for number, name in enumerate(names)}
        directory.users.upsert_many(DEFAULT_APP, profiles | {"nameless": Profile()})
        return directory

    return make


def found(directory: Directory, *conditions: Condition) -> Sequence[User]:
    """The users that are found, all on one page."""
    users, total = directory.user_search.page(DEFAULT_APP, conditions, 0, ALL)
    assert total == len(users)
    return users


def ids(directory: Directory, *conditions: Condition) -> list[str]:
    return sorted(user.external_id for user in found(directory, *conditions))


def names(
    directory: Directory, operator: Operator, *values: str, any_case: bool = False
) -> list[str | None]:
    return [user.name for user in found(directory, Condition("name", operator, values, any_case))]


def test_a_name_is_found_by_its_text(named: Callable[..., Directory]) -> None:
    directory = named(NAMES)
    answers = {
        (operator, text, any_case): set(names(directory, operator, text, any_case=any_case))
        for operator, text, any_case in EXPECTED
    }

    assert answers == {question: set(expected) for question, expected in EXPECTED.items()}


@pytest.mark.parametrize("any_case", [False, True], ids=["its case", "any case"])
def test_every_text_is_found_where_python_finds_it(
    named: Callable[..., Directory], any_case: bool
) -> None:
    directory = named(TEXTS.values())

    def fits(operator: Operator, name: str, text: str) -> bool:
        name, text = (name.lower(), text.lower()) if any_case else (name, text)
        return name.startswith(text) if operator == "begins" else text in name

    for operator in ("holds", "begins"):
        for text in (text[:size] for text in TEXTS.values() for size in (2, 255)):
            expected = {name for name in TEXTS.values() if fits(operator, name, text)}
            assert set(names(directory, operator, text, any_case=any_case)) == expected


@pytest.mark.parametrize(
    "forms",
    [
        "öÖ",
        "ßẞ",
        "σςΣ",
        "µμΜ",
        "ǅǆǄ",
        "ﬅﬆ",
        "θϑϴΘ",
        "åÅ\u212b",
        "ꭰᎠ",
        "𐐨𐐀",
        "K\u212a",
        "sſ",
        "İ",
        "ı",
    ],
    ids=ascii,
)
def test_a_letter_is_found_by_each_of_its_forms(
    named: Callable[..., Directory], forms: str
) -> None:
    directory = named([*(f"x{form}y" for form in forms), "xy", "xoy", "xiy", "xssy", "xsty"])

    # But for letters of ASCII, which find ASCII's forms only: see `any_case`.
    for form in (form for form in forms if not form.isascii()):
        for operator in ("holds", "begins"):
            found = names(directory, operator, f"X{form}Y", any_case=True)
            assert set(found) == {f"x{one}y" for one in forms}

        assert names(directory, "begins", f"x{form}") == [f"x{form}y"]


def test_a_text_of_any_length_is_compared(named: Callable[..., Directory]) -> None:
    every = map(chr, range(0x100, 0x600))
    letters = "".join(one for one in every if one.isupper() and len(one.lower()) == 1)
    directory = named([letters, letters.lower()])

    assert len(letters) > MOST_REPLACED
    assert letters in names(directory, "holds", letters, any_case=True)
    assert len(names(directory, "begins", letters[:MOST_REPLACED], any_case=True)) == 2
    # Longer than the 50,000 bytes that SQLite has for a pattern of its own.
    assert names(directory, "holds", "ÖöÅ" * 10_000, any_case=True) == []


@pytest.mark.parametrize("any_case", [False, True], ids=["its case", "any case"])
def test_one_of_many_is_the_whole_text_in_its_case(
    named: Callable[..., Directory], any_case: bool
) -> None:
    directory = named(TEXTS.values())
    answers = {text: names(directory, "in", text, any_case=any_case) for text in TEXTS.values()}

    assert answers == {text: [text] for text in TEXTS.values()}
    assert names(directory, "in", "LATIN", "%", "_", "", any_case=any_case) == []


def test_one_of_many_is_enough(named: Callable[..., Directory]) -> None:
    directory = named(["Ann", "Bob", "Cy", "Ann"])
    condition = Condition("name", "in", ("Ann", "Cy", "nobody", "Ann"))

    assert ids(directory, condition) == ["000", "002", "003"]


def test_one_of_none_is_nobody(named: Callable[..., Directory]) -> None:
    directory = named(["", "Ann"])

    assert found(directory, Condition("name", "in", ())) == []
    assert found(directory, Condition("name", "in", ()), Condition("name", "in", ("Ann",))) == []


@pytest.mark.parametrize("field", ["external_id", "name", "image", "email"])
def test_each_field_can_be_asked_for(directory: Directory, field: Field) -> None:
    said = {one: f"a-{one}" for one in ("name", "image", "email")}
    directory.users.upsert(DEFAULT_APP, "a-external_id", Profile(**said))
    directory.users.upsert(DEFAULT_APP, "other", Profile(**dict.fromkeys(said, "a-none")))

    for operator in OPERATORS:
        assert ids(directory, Condition(field, operator, (f"a-{field}",))) == ["a-external_id"]


def test_who_has_no_name_is_not_found_by_it(named: Callable[..., Directory]) -> None:
    directory = named([])

    for condition in (Condition("name", "in", ("",)), Condition("name", "holds", ("",), True)):
        assert ids(directory, condition) == []

    assert ids(directory) == ["nameless"]


def test_all_conditions_must_be_met(directory: Directory) -> None:
    people = {"1": ("Ann", "a@b.c"), "2": ("Ann", "d@e.f"), "3": ("Anton", "a@b.c")}

    for external_id, (name, email) in people.items():
        directory.users.upsert(DEFAULT_APP, external_id, Profile(name, email=email))

    ann, mail = Condition("name", "begins", ("AN",), True), Condition("email", "in", ("a@b.c",))
    assert ids(directory, ann) == ["1", "2", "3"]
    assert ids(directory, ann, mail) == ["1", "3"]
    assert ids(directory, ann, mail, Condition("name", "holds", ("o",))) == ["3"]


def test_deleted_users_and_those_of_another_app_are_not_listed(directory: Directory) -> None:
    directory.apps.create("shop", "shop")

    for app_id, external_id in ((DEFAULT_APP, "1"), (DEFAULT_APP, "2"), ("shop", "3")):
        directory.users.upsert(app_id, external_id, Profile("Ann"))

    directory.users.delete(DEFAULT_APP, "2")
    assert (
        ids(directory) == ids(directory, Condition("external_id", "in", ("1", "2", "3"))) == ["1"]
    )
    assert directory.user_search.page("nowhere", [], 0, ALL) == ([], 0)


def test_the_oldest_is_first(directory: Directory, clock: Stopwatch) -> None:
    for external_id in ("b", "c", "a"):
        directory.users.upsert(DEFAULT_APP, external_id, Profile())
        clock.now += 1

    directory.users.upsert(DEFAULT_APP, "b", Profile("changed"))
    assert [user.external_id for user in found(directory)] == ["b", "c", "a"]

    directory.users.delete(DEFAULT_APP, "b")
    directory.users.upsert(DEFAULT_APP, "b", Profile())
    assert [user.external_id for user in found(directory)] == ["c", "a", "b"]


def test_pages_make_the_whole(named: Callable[..., Directory]) -> None:
    """All are of the same moment here: the order must not change from page to page."""
    directory = named(["Ann"] * 10 + ["Bob"] * 5)
    ann = [Condition("name", "in", ("Ann",))]
    pages = [directory.user_search.page(DEFAULT_APP, ann, offset, 4) for offset in range(0, 16, 4)]

    assert [len(users) for users, _ in pages] == [4, 4, 2, 0]
    assert {total for _, total in pages} == {10}
    assert [user for users, _ in pages for user in users] == found(directory, *ann)


def test_a_page_takes_two_statements(named: Callable[..., Directory]) -> None:
    directory = named(["Ann", "Bob"])
    wanted = [
        Condition("name", "in", [str(n) for n in range(100)]),
        Condition("name", "holds", "a"),
    ]

    with statements(directory) as seen:
        directory.user_search.page(DEFAULT_APP, wanted, 0, 1)

    assert [statement.split()[0] for statement in seen] == ["SELECT", "SELECT"]


@on_sqlite
def test_a_page_is_read_in_its_order(directory: Directory) -> None:
    """Of a million users that are sorted for each page none would be seen in time."""
    with statements(directory) as seen:
        directory.user_search.page(DEFAULT_APP, [], 0, 20)

    with directory.database.reading() as connection:
        explaining = f"EXPLAIN QUERY PLAN {seen[1]}"
        steps = connection.exec_driver_sql(explaining, (None,) * seen[1].count("?")).all()

    assert any("ix_users_app_id_created_id" in step[-1] for step in steps)
    assert not any("B-TREE" in step[-1] for step in steps)


@on_sqlite
def test_users_are_found_by_their_ids_and_not_among_all(directory: Directory) -> None:
    """An index that begins with more columns that the question names would be preferred."""
    with statements(directory) as seen:
        directory.users.find_many(DEFAULT_APP, [str(number) for number in range(10)])

    with directory.database.reading() as connection:
        explaining = f"EXPLAIN QUERY PLAN {seen[0]}"
        steps = connection.exec_driver_sql(explaining, (None,) * seen[0].count("?")).all()

    assert any("(app_id=? AND external_id=?)" in step[-1] for step in steps)


every_question = pytest.mark.parametrize("operator", OPERATORS)


@every_question
def test_sql_in_a_condition_stays_text(named: Callable[..., Directory], operator: Operator) -> None:
    directory = named(["alice"])

    for any_case in (False, True):
        assert not any(names(directory, operator, one, any_case=any_case) for one in SQL.values())

    assert ids(directory) == ["000", "nameless"]


@every_question
def test_half_a_character_in_a_condition_is_the_callers_fault(
    named: Callable[..., Directory], operator: Operator
) -> None:
    directory = named(["alice"])

    for any_case in (False, True):
        with pytest.raises(CallerError, match="a text cannot be stored"):
            names(directory, operator, "a\ud800", any_case=any_case)

    assert directory.database.fault == ""


@on_postgresql
@every_question
def test_a_nul_in_a_condition_is_too_for_postgresql(
    named: Callable[..., Directory], operator: Operator
) -> None:
    directory = named(["alice"])

    for any_case in (False, True):
        with pytest.raises(CallerError, match="a text cannot be stored"):
            names(directory, operator, "a\0", any_case=any_case)


@on_sqlite
@every_question
def test_a_nul_in_a_condition_finds_nobody_on_sqlite(
    named: Callable[..., Directory], operator: Operator
) -> None:
    directory = named(["alice"])

    for any_case in (False, True):
        assert names(directory, operator, "a\0", any_case=any_case) == []
