"""Taking over what changes in files: after two looks, all or nothing, the old for a while."""

import logging
import os
from pathlib import Path
from typing import Any

import pytest

from chatproxy.errors import SettingsError
from chatproxy.providers import SETTINGS
from chatproxy.settings.watch import Watch
from tests.mounted import swap
from tests.stopwatch import Stopwatch

OLD, NEW = "old-secret-0123456789abcdef0123456789", "new-secret-0123456789abcdef0123456789"
OTHER = "other-secret-0123456789abcdef01234567"
CHATSDK = ("CHATSDK_JWT_SECRET", "CENTRIFUGO_TOKEN_SECRET", "KEY_SIGNING_SECRET")


@pytest.fixture
def mounted(tmp_path: Path) -> Path:
    folder = tmp_path / "mounted"
    swap(folder, _contents(OLD))
    return folder


def _contents(jwt: str) -> dict[str, str]:
    return {"CHATSDK_JWT_SECRET": jwt, **{name: name.lower() * 3 for name in CHATSDK[1:]}}


def watch_of(mounted: Path, clock: Stopwatch, **more: str) -> Watch:
    files = {f"{path.name}_FILE": str(path) for path in mounted.glob("[!.]*_SECRET")}
    database = {"DATABASE_URL": f"sqlite:///{mounted.parent}/d.db", "SECRET_OVERLAP": "10s"}
    return Watch(SETTINGS, clock, {"PROVIDERS": "chatsdk"} | database | files | more)


def secrets_of(watch: Watch) -> Any:
    """What a worker has: the first one signs."""
    return watch.posted()[1].settings.provider_settings["chatsdk"].jwt_secrets


def problems_of(watch: Watch) -> Any:
    return watch.posted()[1].problems


def test_what_has_changed_counts_when_two_looks_have_found_the_same(
    mounted: Path, clock: Stopwatch
) -> None:
    watch = watch_of(mounted, clock)
    number = watch.number
    swap(mounted, _contents(NEW))
    watch.look()
    assert (secrets_of(watch), watch.number) == ((OLD,), number)
    watch.look()
    assert (secrets_of(watch), watch.number) == ((NEW, OLD), number + 1)
    watch.look()
    assert watch.number == number + 1


def test_a_file_that_is_missing_or_half_written_for_a_moment_is_nothing(
    mounted: Path, clock: Stopwatch
) -> None:
    watch = watch_of(mounted, clock)
    number = watch.number

    for content in (None, "", NEW[:33], OLD, None, NEW[:34], OLD):
        swap(mounted, _contents(content or ""), "CHATSDK_JWT_SECRET" if content is None else "")
        watch.look()

    assert (secrets_of(watch), problems_of(watch), watch.number) == ((OLD,), (), number)


def test_the_same_size_and_time_are_a_change_all_the_same(mounted: Path, clock: Stopwatch) -> None:
    watch = watch_of(mounted, clock)
    path = (mounted / "CHATSDK_JWT_SECRET").resolve()
    path.write_text(NEW)
    os.utime(path, (1, 1))
    watch.look()
    watch.look()

    assert secrets_of(watch) == (NEW, OLD)


def test_an_old_secret_verifies_for_the_overlap_and_never_signs(
    mounted: Path, clock: Stopwatch
) -> None:
    watch = watch_of(mounted, clock)
    clock.now = 100
    _change(watch, mounted, NEW)
    clock.now = 105
    _change(watch, mounted, OTHER)
    assert secrets_of(watch) == (OTHER, OLD, NEW)
    clock.now = 109.9
    watch.look()
    assert secrets_of(watch) == (OTHER, OLD, NEW)
    clock.now = 110
    watch.look()
    assert secrets_of(watch) == (OTHER, NEW)
    clock.now = 115
    watch.look()
    assert secrets_of(watch) == (OTHER,)


def test_one_that_comes_back_signs_again_and_does_not_end(mounted: Path, clock: Stopwatch) -> None:
    watch = watch_of(mounted, clock)
    _change(watch, mounted, NEW)
    _change(watch, mounted, OLD)
    assert secrets_of(watch) == (OLD, NEW)
    clock.now = 50
    watch.look()
    assert secrets_of(watch) == (OLD,)


def test_a_list_is_taken_over_as_a_list(mounted: Path, clock: Stopwatch) -> None:
    watch = watch_of(mounted, clock)
    _change(watch, mounted, f"{OLD},{NEW}")
    assert secrets_of(watch) == (OLD, NEW)
    _change(watch, mounted, f"{NEW},{OLD}")
    assert secrets_of(watch) == (NEW, OLD)
    _change(watch, mounted, NEW)
    assert secrets_of(watch) == (NEW, OLD)


def test_without_an_overlap_the_old_one_ends_at_once(mounted: Path, clock: Stopwatch) -> None:
    watch = watch_of(mounted, clock, SECRET_OVERLAP="0s")
    _change(watch, mounted, NEW)

    assert secrets_of(watch) == (NEW,)


def test_a_secret_that_moves_to_another_purpose_ends_for_the_first_at_once(
    mounted: Path, clock: Stopwatch
) -> None:
    """What was signed for one would pass for the other."""
    watch = watch_of(mounted, clock)
    swap(mounted, _contents(NEW) | {"CENTRIFUGO_TOKEN_SECRET": OLD})
    watch.look()
    watch.look()

    assert secrets_of(watch) == (NEW,)


@pytest.mark.parametrize("bad", ["", "short", f"'{NEW}'", f"{NEW}\u200b", "key_signing_secret" * 3])
def test_a_bad_one_keeps_all_that_is_good_and_is_logged_once(
    mounted: Path, clock: Stopwatch, bad: str, caplog: pytest.LogCaptureFixture
) -> None:
    watch = watch_of(mounted, clock)
    (problem,) = _refused(watch, mounted, bad)
    assert problem.startswith("CHATSDK_JWT_SECRET")
    assert NEW not in problem

    for _ in range(5):
        watch.look()
        watch.look(at_once=True)

    assert secrets_of(watch) == (OLD,)
    assert [one.levelno for one in caplog.records] == [logging.ERROR]
    _change(watch, mounted, OLD)
    assert problems_of(watch) == ()
    assert secrets_of(watch) == (OLD,)


def _refused(watch: Watch, mounted: Path, bad: str) -> Any:
    # Another file has changed as well, and is good.
    swap(mounted, _contents(bad) | {"CENTRIFUGO_TOKEN_SECRET": OTHER})
    watch.look()
    watch.look()
    chatsdk = watch.posted()[1].settings.provider_settings["chatsdk"]
    assert chatsdk.centrifugo_secrets == ("centrifugo_token_secret" * 3,)
    return problems_of(watch)


def _change(watch: Watch, mounted: Path, jwt: str) -> None:
    swap(mounted, _contents(jwt))
    watch.look()
    watch.look()


def test_a_reload_does_not_wait_for_a_second_look(mounted: Path, clock: Stopwatch) -> None:
    watch = watch_of(mounted, clock)
    swap(mounted, _contents(NEW))
    watch.look(at_once=True)

    assert secrets_of(watch) == (NEW, OLD)


def test_a_pipe_is_read_once(mounted: Path, clock: Stopwatch) -> None:
    """A shell's `<(…)`: a second look would find nothing, or wait for ever."""
    reading, writing = os.pipe()
    os.write(writing, b"signing-secret-0123456789abcdef012345")
    os.close(writing)
    (mounted / "KEY_SIGNING_SECRET").unlink()
    watch = watch_of(mounted, clock, KEY_SIGNING_SECRET_FILE=f"/dev/fd/{reading}")
    os.close(reading)
    _change(watch, mounted, NEW)

    assert secrets_of(watch) == (NEW, OLD)


def test_a_pipe_in_place_of_a_file_is_a_problem_and_is_not_waited_for(
    mounted: Path, clock: Stopwatch
) -> None:
    watch = watch_of(mounted, clock)
    path = (mounted / "CHATSDK_JWT_SECRET").resolve()
    path.unlink()
    os.mkfifo(path)
    watch.look()
    watch.look()

    (problem,) = problems_of(watch)
    assert "it is no file" in problem


def test_the_agents_count_as_they_were_at_the_start(mounted: Path, clock: Stopwatch) -> None:
    agents = mounted / "agents.json"
    agents.write_text('[{"id": "a1", "name": "Support"}]')
    perform = {"PROVIDERS": "chatsdk,performchat", "PERFORMCHAT_JWT_SECRET": "p" * 40}
    watch = watch_of(mounted, clock, PERFORMCHAT_AGENTS=str(agents), **perform)
    agents.write_text("[")
    _change(watch, mounted, NEW)

    assert (secrets_of(watch), problems_of(watch)) == ((NEW, OLD), ())


def test_another_sqlite_file_needs_a_restart(mounted: Path, clock: Stopwatch) -> None:
    (mounted / "url").write_text(f"sqlite:///{mounted}/a.db")
    environ = {"DATABASE_URL": "", "DATABASE_URL_FILE": str(mounted / "url")}
    watch = watch_of(mounted, clock, **environ)
    (mounted / "url").write_text(f"sqlite:///{mounted}/b.db")
    watch.look()
    watch.look()

    assert problems_of(watch) == ("DATABASE_URL: names another database. Restart to change to it.",)


def test_what_is_bad_at_the_start_ends_it(mounted: Path, clock: Stopwatch) -> None:
    swap(mounted, _contents("short"))

    with pytest.raises(SettingsError):
        watch_of(mounted, clock)


def test_secrets_of_earlier_settings_stay_hidden(mounted: Path, clock: Stopwatch) -> None:
    watch = watch_of(mounted, clock, SECRET_OVERLAP="0s")

    for turn in range(300):
        _change(watch, mounted, f"{turn:03}-{OLD}")

    hidden = watch.posted()[1].hidden
    assert {f"299-{OLD}", f"298-{OLD}", f"200-{OLD}", "key_signing_secret" * 3} <= set(hidden)
    assert len(hidden) < 300


def test_a_bad_file_is_still_shown_when_an_overlap_ends(mounted: Path, clock: Stopwatch) -> None:
    watch = watch_of(mounted, clock)
    _change(watch, mounted, NEW)
    problems = _refused(watch, mounted, "short")
    clock.now += 11
    watch.look()

    assert secrets_of(watch) == (NEW,)
    assert problems_of(watch) == problems != ()


def test_whatever_else_goes_wrong_is_told_without_its_text(
    mounted: Path,
    clock: Stopwatch,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*_: Any) -> None:
        raise ValueError(NEW)

    watch = watch_of(mounted, clock)
    monkeypatch.setattr("chatproxy.settings.watch.load", broken)
    _change(watch, mounted, NEW)

    assert problems_of(watch) == ("The settings cannot be read (ValueError).",)
    assert secrets_of(watch) == (OLD,)
    assert [one.levelno for one in caplog.records] == [logging.ERROR]
    assert NEW not in caplog.text
