"""Keys that were made elsewhere: nothing in them says so, whatever they look like."""

import pytest

from chatproxy.errors import IdentityError
from chatproxy.identity.directory import Directory
from chatproxy.identity.key_format import KeyFormat
from chatproxy.identity.keys import FRESH
from chatproxy.identity.records import DEFAULT_APP, Kind
from tests.identity.databases import statements
from tests.identity.elsewhere import SECRETS
from tests.stopwatch import Stopwatch

TEXTS = {
    "vendor": "vendor_live_0123456789abcdef",
    "like-ours": "pk_0123456789abcdef01234567.sk_abcdefghijklmnop.c2lnbmF0dXJl",
    "like-a-client-key": "ck_0123456789abcdef01234567.c2lnbmF0dXJl",
    "our-id-alone": "pk_0123456789abcdef01234567",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJhIjoxfQ.c2lnbmF0dXJl",
    "sql": "x'OR'1'='1';--%_\\",
    "shortest": "x" * 16,
    "longest": "~" * 1024,
}


def imported(directory: Directory, text: str, expires: float | None = None) -> str:
    return directory.keys.import_text(text, "old server", DEFAULT_APP, "platform", expires).id


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_an_imported_key_of_any_look_is_found(directory: Directory, text: str) -> None:
    key_id = imported(directory, text)
    found = directory.keys.find(text)

    assert found is not None
    assert (found.id, found.imported) == (key_id, True)
    assert directory.keys.find(text[:-1] + "!") is None


@pytest.mark.parametrize("kind", ["platform", "client"])
def test_a_key_of_another_sidecar_can_be_imported(directory: Directory, kind: Kind) -> None:
    """One with the same signing secret and another database."""
    text = KeyFormat(SECRETS).make(kind)[1]
    key_id = imported(directory, text)

    assert [key.id for key in [directory.keys.find(text)] if key] == [key_id]


@pytest.mark.parametrize(
    "text",
    ["", "x" * 15, "x" * 1025, "x x" * 9, "ключ" * 9, "x\0" * 9, "x" * 20 + "\n", "\ud800" * 20],
    ids=ascii,
)
def test_a_text_that_no_header_takes_is_not_imported(directory: Directory, text: str) -> None:
    with pytest.raises(IdentityError, match="16 to 1024 ASCII characters"):
        imported(directory, text)


def test_a_key_that_is_there_is_not_imported(directory: Directory) -> None:
    made = directory.keys.create("backend", DEFAULT_APP)
    imported(directory, TEXTS["vendor"])

    for text in (TEXTS["vendor"], made.text):
        with pytest.raises(IdentityError, match="the key is there already"):
            imported(directory, text)


def test_an_imported_key_expires(directory: Directory, clock: Stopwatch) -> None:
    imported(directory, TEXTS["vendor"], expires=clock.now + 60)
    assert directory.keys.find(TEXTS["vendor"])

    clock.now += 60
    assert directory.keys.find(TEXTS["vendor"]) is None


def test_an_imported_key_is_followed_by_one_of_ours(directory: Directory, clock: Stopwatch) -> None:
    new = directory.keys.rotate(imported(directory, TEXTS["vendor"]))

    assert directory.keys.id_of(new.text) == new.key.id
    assert not new.key.imported
    assert directory.keys.find(TEXTS["vendor"])


@pytest.fixture
def another(worker: Directory) -> Directory:
    """Another worker, which has read the list of imported keys."""
    worker.keys.find("anything")
    return worker


def test_within_a_moment_every_worker_knows_it(
    directory: Directory, another: Directory, elapsed: Stopwatch
) -> None:
    imported(directory, TEXTS["vendor"])
    elapsed.now = FRESH

    assert another.keys.find(TEXTS["vendor"])


def test_once_revoked_every_worker_refuses_it(
    directory: Directory, another: Directory, elapsed: Stopwatch
) -> None:
    key_id = imported(directory, TEXTS["vendor"])
    elapsed.now = FRESH
    assert another.keys.find(TEXTS["vendor"])

    directory.keys.revoke(key_id)
    assert another.keys.find(TEXTS["vendor"]) is None


def test_once_revoked_it_costs_no_statement(
    directory: Directory, another: Directory, elapsed: Stopwatch
) -> None:
    directory.keys.revoke(imported(directory, TEXTS["vendor"]))
    elapsed.now = FRESH
    another.keys.find("the list is read again")

    with statements(another) as seen:
        assert another.keys.find(TEXTS["vendor"]) is None

    assert seen == []
