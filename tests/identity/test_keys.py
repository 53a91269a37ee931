"""API keys: made, found, ended."""

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

from chatproxy.errors import IdentityError
from chatproxy.identity.directory import Directory
from chatproxy.identity.keys import OVERLAP
from chatproxy.identity.records import DEFAULT_APP, Key, Kind, Profile
from chatproxy.identity.schema import upgrade
from tests.identity.databases import statements
from tests.stopwatch import Stopwatch

HOUR = 3600.0

both_kinds = pytest.mark.parametrize("kind", ["platform", "client"])


@both_kinds
def test_a_new_key_is_found_by_its_text(directory: Directory, kind: Kind) -> None:
    made = directory.keys.create(" backend ", DEFAULT_APP, kind)

    assert directory.keys.find(made.text) == made.key
    assert (made.key.name, made.key.app_id, made.key.kind) == ("backend", DEFAULT_APP, kind)


@both_kinds
def test_a_key_is_recognised_without_a_statement(directory: Directory, kind: Kind) -> None:
    made = directory.keys.create("backend", DEFAULT_APP, kind)

    assert directory.keys.id_of(made.text) == made.key.id


def test_both_halves_together_are_the_key(directory: Directory) -> None:
    made = directory.keys.create("backend", DEFAULT_APP)
    parts = made.parts()

    assert f"{parts['keyId']}.{parts['keySecret']}" == parts["apiKey"] == made.text
    assert parts["keyId"] == made.key.id
    assert parts["keyId"].startswith("pk_")
    assert parts["keySecret"].startswith("sk_")


def test_a_client_key_has_one_part(directory: Directory) -> None:
    made = directory.keys.create("web", DEFAULT_APP, "client")

    assert made.parts() == {"clientKey": made.text}
    assert made.text.startswith(f"{made.key.id}.")
    assert made.key.id.startswith("ck_")


def test_a_made_key_does_not_show_its_text(directory: Directory) -> None:
    made = directory.keys.create("backend", DEFAULT_APP)

    assert made.text not in repr(made)
    assert made.parts()["keySecret"] not in f"{made} {made.key}"


def test_a_key_of_an_unknown_app_is_refused(directory: Directory) -> None:
    with pytest.raises(IdentityError, match="there is no app nowhere"):
        directory.keys.create("backend", "nowhere")


def test_a_key_is_good_until_it_expires(directory: Directory, clock: Stopwatch) -> None:
    made = directory.keys.create("backend", DEFAULT_APP, expires=clock.now + HOUR)
    clock.now += HOUR - 0.001
    assert directory.keys.find(made.text)

    clock.now += 0.001
    assert directory.keys.find(made.text) is None


def test_a_revoked_key_ends_at_once_everywhere(
    directory: Directory, opened: Callable[..., Directory]
) -> None:
    another = opened()
    made = directory.keys.create("backend", DEFAULT_APP)
    assert another.keys.find(made.text)

    directory.keys.revoke(made.key.id)
    assert another.keys.find(made.text) is None
    assert directory.keys.find(made.text) is None


def test_a_key_is_found_with_a_user_of_its_app_in_one_statement(worker: Directory) -> None:
    worker.apps.create("shop", "shop")
    keys = {app: worker.keys.create("backend", app) for app in (DEFAULT_APP, "shop")}
    ann, _ = worker.users.upsert(DEFAULT_APP, "ann", Profile(name="Ann", custom={"a": [1]}))
    worker.users.upsert("shop", "bob", Profile())
    worker.users.delete("shop", "bob")

    with statements(worker) as seen:
        found = worker.keys.find_with_user(keys[DEFAULT_APP].text, "ann")

    assert found == (keys[DEFAULT_APP].key, ann)
    assert [statement.split()[0] for statement in seen] == ["SELECT"]
    assert worker.keys.find_with_user(keys[DEFAULT_APP].text, "Ann") == (
        worker.keys.find(keys[DEFAULT_APP].text),
        None,
    )
    # Another app's user, and one who was deleted, are nobody.
    for name in ("ann", "bob"):
        assert worker.keys.find_with_user(keys["shop"].text, name)[1] is None


def test_a_key_that_is_not_in_force_is_found_with_no_user(
    directory: Directory, opened: Callable[..., Directory], clock: Stopwatch
) -> None:
    another = opened()
    directory.users.upsert(DEFAULT_APP, "ann", Profile())
    revoked = directory.keys.create("backend", DEFAULT_APP)
    expired = directory.keys.create("backend", DEFAULT_APP, expires=clock.now + HOUR)
    texts = [revoked.text, expired.text, revoked.text[:-1], "x" * 1025]
    assert another.keys.find_with_user(revoked.text, "ann")[1] is not None

    directory.keys.revoke(revoked.key.id)
    clock.now += HOUR
    assert [another.keys.find_with_user(text, "ann") for text in texts] == [(None, None)] * 4


def test_the_use_of_a_key_that_is_found_with_a_user_is_noted(
    directory: Directory, clock: Stopwatch
) -> None:
    made = directory.keys.create("backend", DEFAULT_APP)
    directory.keys.find_with_user(made.text, "ann")
    directory.keys.flush_uses()

    assert [key.last_used for key in directory.keys.list()] == [clock.now]


def test_a_rotated_key_is_good_until_the_overlap_ends(
    directory: Directory, clock: Stopwatch
) -> None:
    old = directory.keys.create("backend", DEFAULT_APP)
    new = directory.keys.rotate(old.key.id)
    clock.now += OVERLAP - 1
    assert directory.keys.find(old.text)
    assert directory.keys.find(new.text)

    clock.now += 1
    assert directory.keys.find(old.text) is None
    assert directory.keys.find(new.text)


def test_a_rotation_repeated_makes_a_key_of_the_same_life(directory: Directory) -> None:
    old = directory.keys.create("backend", DEFAULT_APP)
    first, second = (directory.keys.rotate(old.key.id).key for _ in range(2))

    assert (first.expires, second.expires) == (None, None)


def test_without_overlap_the_old_key_ends_at_once(directory: Directory) -> None:
    old = directory.keys.create("backend", DEFAULT_APP)
    directory.keys.rotate(old.key.id, overlap=0)

    assert directory.keys.find(old.text) is None


@pytest.mark.parametrize(("life", "left"), [(None, OVERLAP), (HOUR, HOUR), (9e6, OVERLAP)])
def test_an_overlap_never_lengthens_a_life(
    directory: Directory, clock: Stopwatch, life: float | None, left: float
) -> None:
    expires = life and clock.now + life
    old = directory.keys.create("backend", DEFAULT_APP, expires=expires)
    new = directory.keys.rotate(old.key.id)
    ends = {key.id: key.expires for key in directory.keys.list()}

    assert ends == {old.key.id: clock.now + left, new.key.id: expires}


@both_kinds
def test_a_successor_is_the_same_but_for_its_text(
    directory: Directory, clock: Stopwatch, kind: Kind
) -> None:
    directory.apps.create("shop", "shop")
    old = directory.keys.create("backend", "shop", kind, clock.now + HOUR)
    directory.keys.find(old.text)
    directory.keys.flush_uses()
    clock.now += 60
    new = directory.keys.rotate(old.key.id).key

    assert new.id != old.key.id
    expected = ("shop", "backend", kind, False, clock.now, HOUR, clock.now + HOUR, None, None)
    assert new == Key(new.id, *expected)


@pytest.mark.parametrize("act", ["rotate", "revoke"])
@pytest.mark.parametrize("state", ["unknown", "revoked", "expired"])
def test_only_a_key_in_force_can_be_changed(
    directory: Directory, clock: Stopwatch, act: str, state: str
) -> None:
    made = directory.keys.create("backend", DEFAULT_APP, expires=clock.now + HOUR)
    key_id = made.key.id if state != "unknown" else "pk_0123"

    if state == "revoked":
        directory.keys.revoke(key_id)

    clock.now += HOUR if state == "expired" else 0

    with pytest.raises(IdentityError, match=f"there is no key {key_id} in force"):
        getattr(directory.keys, act)(key_id)


def test_a_key_revoked_while_it_is_rotated_has_no_successor(
    directory: Directory, opened: Callable[..., Directory], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, another = directory.keys.create("backend", DEFAULT_APP), opened()
    writing = directory.database.writing

    def write_later(**options: Any) -> contextlib.AbstractContextManager[Connection]:
        another.keys.revoke(made.key.id)
        return writing(**options)

    monkeypatch.setattr(directory.database, "writing", write_later)

    with pytest.raises(IdentityError):
        directory.keys.rotate(made.key.id)

    assert [key.id for key in directory.keys.list()] == [made.key.id]


def test_keys_are_listed_by_age_ended_ones_too(directory: Directory, clock: Stopwatch) -> None:
    directory.apps.create("shop", "shop")
    made = []

    for app_id in (DEFAULT_APP, "shop", DEFAULT_APP):
        clock.now += 1
        made.append(directory.keys.create("backend", app_id).key)

    directory.keys.revoke(made[0].id)

    assert [key.id for key in directory.keys.list()] == [key.id for key in made]
    assert [key.revoked for key in directory.keys.list(DEFAULT_APP)] == [clock.now, None]
    assert directory.keys.list("shop") == [made[1]]


def test_a_secret_that_is_retired_still_verifies(opened: Callable[..., Directory]) -> None:
    old, new = "o" * 32, "n" * 32
    before = opened([old])
    upgrade(before.database)
    made = before.keys.create("backend", DEFAULT_APP)

    assert opened([new, old]).keys.find(made.text) == made.key
    assert opened([new]).keys.find(made.text) is None


def test_the_first_secret_signs_what_is_made(
    directory: Directory, opened: Callable[..., Directory]
) -> None:
    made = opened(["n" * 32, "o" * 32]).keys.create("backend", DEFAULT_APP)

    assert opened(["n" * 32]).keys.find(made.text) == made.key
    assert opened(["o" * 32]).keys.find(made.text) is None
