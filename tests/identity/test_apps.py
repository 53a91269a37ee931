"""Apps: what they may be called, and that each is there once."""

from collections.abc import Callable

import pytest

from chatproxy.errors import IdentityError
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, App
from tests.stopwatch import Stopwatch


def test_an_app_is_listed_after_older_ones(directory: Directory, clock: Stopwatch) -> None:
    clock.now = 4e9
    made = directory.apps.create("  Shop ", "shop")

    assert made == App("shop", "Shop", 4e9)
    assert directory.apps.list()[1:] == [made]


def test_an_id_is_made_up_where_none_is_given(directory: Directory) -> None:
    ids = {directory.apps.create("same name").id for _ in range(3)}

    assert len(ids) == 3
    assert {app.id for app in directory.apps.list()} == {DEFAULT_APP, *ids}


@pytest.mark.parametrize("app_id", ["a", "A-z_0.9~", "x" * 64])
def test_an_own_id_is_kept(directory: Directory, app_id: str) -> None:
    assert directory.apps.create("name", app_id).id == app_id


@pytest.mark.parametrize(
    "app_id",
    [" ", "a b", "a/b", "ä", "１", "a\n", "a\0", "\ud800", "x" * 65, "a'--"],
    ids=ascii,
)
def test_an_id_with_other_characters_is_refused(directory: Directory, app_id: str) -> None:
    with pytest.raises(IdentityError, match="1 to 64 of the characters"):
        directory.apps.create("name", app_id)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\0b", "\ud800", "x" * 256], ids=ascii)
def test_a_name_that_cannot_be_shown_is_refused(directory: Directory, name: str) -> None:
    with pytest.raises(IdentityError, match="1 to 255 printable"):
        directory.apps.create(name)


@pytest.mark.parametrize("name", ["x" * 255, "店", "متجر", "🏪", "a'; DROP TABLE apps; --"])
def test_a_name_of_any_script_comes_back(directory: Directory, name: str) -> None:
    directory.apps.create(name, "shop")

    assert {app.id: app.name for app in directory.apps.list()}["shop"] == name


def test_an_id_that_is_taken_is_refused(
    directory: Directory, opened: Callable[..., Directory]
) -> None:
    directory.apps.create("first", "shop")

    with pytest.raises(IdentityError, match="there is an app shop already"):
        opened().apps.create("second", "shop")

    assert [app.name for app in directory.apps.list() if app.id == "shop"] == ["first"]
