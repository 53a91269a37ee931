"""On which sessions somebody has signed in, and with which token: for any worker to know."""

import pytest

from chatproxy.identity import signed_in_sessions
from chatproxy.identity.directory import Directory
from chatproxy.identity.records import DEFAULT_APP, Profile
from chatproxy.identity.signed_in_sessions import OVER_AFTER, TooManySessions
from chatproxy.identity.token_records import Binding, OpaqueToken
from tests.stopwatch import Stopwatch

HOUR = 3600.0


@pytest.fixture
def bound(directory: Directory, clock: Stopwatch) -> Binding:
    return bind(directory, clock, "alice", "a-token")


def bind(directory: Directory, clock: Stopwatch, user_id: str, text: str) -> Binding:
    token = OpaqueToken(text, clock.now + HOUR)
    directory.opaque_tokens.bind(DEFAULT_APP, user_id, token, Profile())
    return directory.opaque_tokens.check(DEFAULT_APP, text)


def known(directory: Directory, *sessions: str) -> dict[str, tuple[str, str]]:
    return dict(directory.sessions.tokens_of(DEFAULT_APP, sessions))


def test_a_session_has_the_token_that_it_was_noted_with(
    directory: Directory, bound: Binding
) -> None:
    directory.sessions.note("one", bound)

    assert known(directory, "one", "two") == {"one": (DEFAULT_APP, bound.digest)}
    assert known(directory) == {}
    assert directory.sessions.tokens_of("another", ["one"]) == {}


def test_the_last_token_counts(directory: Directory, clock: Stopwatch, bound: Binding) -> None:
    other = bind(directory, clock, "bob", "another-token")
    directory.sessions.note("one", bound)
    directory.sessions.note("one", other)

    assert known(directory, "one") == {"one": (DEFAULT_APP, other.digest)}


def test_a_session_is_forgotten(directory: Directory, bound: Binding) -> None:
    directory.sessions.note("one", bound)
    directory.sessions.note("two", bound)
    directory.sessions.forget(DEFAULT_APP, "one")
    directory.sessions.forget(DEFAULT_APP, "unknown")

    assert known(directory, "one", "two").keys() == {"two"}


def test_a_session_outlives_its_token_so_that_it_is_known_to_be_over(
    directory: Directory, bound: Binding
) -> None:
    directory.sessions.note("one", bound)
    directory.opaque_tokens.unbind(DEFAULT_APP, "alice")
    found = known(directory, "one")

    assert found == {"one": (DEFAULT_APP, bound.digest)}
    assert directory.opaque_tokens.still_valid(found.values()) == set()


def test_a_session_that_is_ended_has_a_token_that_never_counts(
    directory: Directory, bound: Binding
) -> None:
    directory.sessions.note("one", bound)
    directory.sessions.end(DEFAULT_APP, "one")
    directory.sessions.end(DEFAULT_APP, "unknown")
    found = known(directory, "one", "unknown")

    assert found.keys() == {"one"}
    assert directory.opaque_tokens.still_valid(found.values()) == set()


def test_no_session_is_forgotten_for_another_one(
    directory: Directory, clock: Stopwatch, bound: Binding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revocation ends those that it finds."""
    monkeypatch.setattr(signed_in_sessions, "MOST_SESSIONS", 3)
    other = bind(directory, clock, "bob", "another-token")

    for name in ("a", "b", "c"):
        directory.sessions.note(name, bound)

    with pytest.raises(TooManySessions):
        directory.sessions.note("d", bound)

    directory.sessions.note("c", bound)
    directory.sessions.note("theirs", other)
    assert known(directory, "a", "b", "c", "d", "theirs").keys() == {"a", "b", "c", "theirs"}

    directory.sessions.forget(DEFAULT_APP, "b")
    directory.sessions.note("d", bound)
    assert known(directory, "a", "b", "c", "d").keys() == {"a", "c", "d"}


def test_a_session_that_was_not_heard_of_makes_room(
    directory: Directory, clock: Stopwatch, bound: Binding, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signed_in_sessions, "MOST_SESSIONS", 2)
    directory.sessions.note("goes on", bound)
    directory.sessions.note("is over", bound)

    for _ in range(4):
        clock.now += OVER_AFTER / 4
        assert directory.sessions.heard_of(DEFAULT_APP, "goes on") == (DEFAULT_APP, bound.digest)

    assert directory.sessions.heard_of(DEFAULT_APP, "nobody's") is None
    directory.sessions.note("new", bound)
    assert known(directory, "goes on", "is over", "new").keys() == {"goes on", "new"}


def test_what_is_past_its_end_goes(directory: Directory, clock: Stopwatch, bound: Binding) -> None:
    directory.sessions.note("one", bound)
    clock.now += HOUR
    other = bind(directory, clock, "bob", "another-token")
    directory.sessions.note("two", other)

    assert known(directory, "one", "two").keys() == {"two"}


def test_the_id_itself_is_not_kept(directory: Directory) -> None:
    """Whoever knows it may speak in the session."""
    assert directory.sessions.name_of("secret") != "secret"
    assert len(directory.sessions.name_of("secret")) == 64
