"""Libraries that seem not to be installed while another one is imported."""

import importlib
import sys

import pytest

from chatproxy.left_out import left_out

NAME = "colorsys"  # of the standard library, and nothing else loads it


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, NAME, raising=False)


def test_they_cannot_be_imported_in_there_and_can_be_afterwards() -> None:
    with left_out(NAME), pytest.raises(ImportError):
        importlib.import_module(NAME)

    assert NAME not in sys.modules
    assert importlib.import_module(NAME)


def test_one_that_is_loaded_stays() -> None:
    loaded = importlib.import_module(NAME)

    with left_out(NAME):
        assert importlib.import_module(NAME) is loaded

    assert sys.modules[NAME] is loaded


def test_a_failure_hides_nothing_for_good() -> None:
    with pytest.raises(KeyError), left_out(NAME):
        raise KeyError

    assert importlib.import_module(NAME)
