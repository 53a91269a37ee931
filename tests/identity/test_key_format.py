"""What is no key costs nothing and breaks nothing; a key's text is kept nowhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from chatproxy.identity.directory import Directory
from chatproxy.identity.key_format import KeyFormat
from chatproxy.identity.keys import FRESH
from chatproxy.identity.records import DEFAULT_APP
from chatproxy.identity.tables import metadata
from tests.identity.databases import statements
from tests.identity.elsewhere import SECRETS
from tests.identity.texts import TEXTS
from tests.stopwatch import Stopwatch

JUNK = TEXTS | {
    "nothing": "",
    "nul": "\0",
    "nul-inside": "pk_0.sk_0\0.c2ln",
    "surrogate": "\ud800",
    "pair-of-surrogates": "\ud83d\ude00",
    "byte-as-surrogate": "pk_\udcff.sk_0.c2ln",
    "dots": "...",
    "parts-missing": "pk_0.sk_0",
    "signature-missing": "pk_0.sk_0.",
    "signature-of-another-alphabet": "pk_0.sk_0.c2ln+/==",
    "signature-not-ascii": "pk_0.sk_0.ſignature",
    "longest": "x" * 1024,
    "longer": "é" * 1025,
    "10000": "pk_" + "x" * 9_997,
    "10000-dots": "." * 10_000,
}


def test_junk_is_no_key(directory: Directory) -> None:
    found = {name: directory.keys.find(text) for name, text in JUNK.items()}

    assert found == dict.fromkeys(JUNK)


@pytest.mark.parametrize("text", JUNK.values(), ids=JUNK)
def test_junk_names_no_key(text: str) -> None:
    assert KeyFormat(SECRETS).id_of(text) is None


def test_a_key_with_something_around_it_is_none(directory: Directory) -> None:
    made = directory.keys.create("backend", DEFAULT_APP).text
    around = [f"{made} ", f" {made}", f"{made}\0", f"\0{made}", f"{made}=", f"{made}.", made * 2]

    assert [directory.keys.find(text) for text in around] == [None] * len(around)


def with_a_bit_changed(text: str) -> Iterator[str]:
    """Each text that differs from this one in the lowest bit of one byte."""
    for place in range(len(text)):
        yield text[:place] + chr(ord(text[place]) ^ 1) + text[place + 1 :]


def test_a_key_with_any_bit_changed_is_none(directory: Directory) -> None:
    made = directory.keys.create("backend", DEFAULT_APP)
    changed = list(with_a_bit_changed(made.text))

    assert [directory.keys.find(text) for text in changed] == [None] * len(made.text)


def test_the_halves_of_two_keys_are_no_key(directory: Directory) -> None:
    one, another = (directory.keys.create("backend", DEFAULT_APP).parts() for _ in range(2))

    assert directory.keys.find(f"{one['keyId']}.{another['keySecret']}") is None
    assert directory.keys.find(one["keyId"]) is None
    assert directory.keys.find(one["keySecret"]) is None


def test_forged_keys_cost_no_statement(worker: Directory, elapsed: Stopwatch) -> None:
    made = worker.keys.create("backend", DEFAULT_APP)
    worker.keys.find("the first one reads the list of imported keys")
    elapsed.now = FRESH - 0.01

    with statements(worker) as seen:
        assert not any(map(worker.keys.find, with_a_bit_changed(made.text[:-1])))

    assert seen == []


def test_a_text_too_long_costs_nothing(worker: Directory) -> None:
    with statements(worker) as seen:
        assert worker.keys.find("x" * 1025) is None

    assert seen == []


def test_a_key_of_ours_costs_one_statement(worker: Directory) -> None:
    made = worker.keys.create("backend", DEFAULT_APP)

    with statements(worker) as seen:
        assert worker.keys.find(made.text)

    assert len(seen) == 1


def everything(directory: Directory, folder: Path) -> bytes:
    """Every row of every table, and the bytes of every file."""
    with directory.database.reading() as connection:
        rows = [connection.execute(select(table)).all() for table in metadata.sorted_tables]

    files = [path.read_bytes() for path in folder.iterdir()]
    return repr(rows).encode() + b"".join(files)


def test_the_text_of_a_key_is_kept_nowhere(directory: Directory, tmp_path: Path) -> None:
    made = [
        directory.keys.create("backend", DEFAULT_APP),
        directory.keys.create("web", DEFAULT_APP),
    ]
    made.append(directory.keys.rotate(made[0].key.id))
    directory.keys.import_text("imported-0123456789", "old", DEFAULT_APP, "platform", None)
    directory.keys.flush_uses()
    kept = everything(directory, tmp_path)

    assert made[0].key.id.encode() in kept
    assert b"imported-0123456789" not in kept
    assert not any(one.parts()["keySecret"].encode() in kept for one in made)
    assert not any(one.text.rpartition(".")[2].encode() in kept for one in made)
