"""ACCESS_CONFIG among the settings: read, refused, watched."""

from pathlib import Path

import pytest

from chatproxy import settings
from chatproxy.access.document import PUBLISHED
from chatproxy.providers import SETTINGS
from chatproxy.settings.watch import Watch
from tests.access.samples import EVERY_CALL, OTHER, caller, write
from tests.settings.loading import problems_of
from tests.sidecar import ROOT
from tests.stopwatch import Stopwatch

MINIMUM = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}
LOCAL = MINIMUM | {"STREAM_BASE_URL": "http://127.0.0.1:1"}
SAMPLE = ROOT / "configmap" / "access.yaml"
FULL = {"providers": ["stream"], "calls": EVERY_CALL}


def test_all_problems_name_the_setting_and_the_file(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", a=caller(providers=["imkit", "x"]), b={"keys": [1]})
    problems = problems_of(**MINIMUM, ACCESS_CONFIG=path)

    assert problems == [
        f"ACCESS_CONFIG: {path} cannot be used: line 1: callers.b.keys.0: is no digest: `sha256:` "
        "and 64 hexadecimal digits."
    ]

    write(Path(path), a=caller(providers=["imkit", "x"]))
    problems = problems_of(**MINIMUM, ACCESS_CONFIG=path)
    assert [one.split(": ")[4].split(" ")[0] for one in problems] == ["imkit", "x"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"x" * 10 * 1024 * 1024, "cannot be read (it is larger than 8388608 bytes)"),
        (b"#" * 2 * 1024 * 1024, "it is larger than 1048576 bytes: make it smaller"),
        (b"", "it is empty"),
    ],
    ids=["10 MB", "2 MB", "empty"],
)
def test_a_file_that_is_no_document_stops_the_start(
    tmp_path: Path, content: bytes, told: str
) -> None:
    (tmp_path / "a").write_bytes(content)
    (problem,) = problems_of(**MINIMUM, ACCESS_CONFIG=str(tmp_path / "a"))

    assert told in problem


def test_the_limiter_is_there_for_callers_even_without_a_directory(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", a=caller())

    assert settings.load(SETTINGS, MINIMUM).limiter is None
    found = settings.load(SETTINGS, MINIMUM | {"ACCESS_CONFIG": path})
    assert found.directory is None
    assert found.limiter is not None


def test_the_start_says_who_may_call_beyond_loopback(tmp_path: Path) -> None:
    beyond = MINIMUM | {"BIND_HOST": "0.0.0.0", "ALLOWED_HOSTS": "chatproxy"}  # noqa: S104
    (warning,) = [one for one in settings.load(SETTINGS, beyond).warnings() if "BIND" in one]
    assert "administrator of the chat: set ACCESS_CONFIG" in warning

    path = write(tmp_path / "a.json", a=caller())
    with_one = settings.load(SETTINGS, beyond | {"ACCESS_CONFIG": path})
    assert [one for one in with_one.warnings() if "BIND" in one] == []


def test_a_rule_for_everything_is_said_at_the_start(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", a=caller(**FULL))
    found = settings.load(SETTINGS, LOCAL | {"ACCESS_CONFIG": path})

    assert (
        "ACCESS_CONFIG: callers.a.calls.0 allows every call to stream: a is an administrator there"
        in found.warnings()
    )


def test_the_sample_is_sound_and_its_keys_open_no_real_provider() -> None:
    found = settings.load(SETTINGS, LOCAL | {"ACCESS_CONFIG": str(SAMPLE)})
    assert found.access is not None
    assert list(found.access.callers) == ["backend", "back-office"]

    # The keys stand beside their callers.
    for line in SAMPLE.read_text().splitlines():
        if "# cpk_" in line:
            name, _, key = line.strip().partition(": # ")
            caller_found = found.access.caller_of(key)
            assert caller_found is not None
            assert caller_found.name == name

    digests = {one for caller in found.access.callers.values() for one in caller.digests}
    assert digests == PUBLISHED

    problems = problems_of(**MINIMUM, ACCESS_CONFIG=str(SAMPLE))
    assert len(problems) == 2
    assert all("sample key, which everybody knows, and STREAM_BASE_URL" in one for one in problems)


def test_a_bad_change_keeps_the_last_good_one_and_says_why(
    tmp_path: Path, clock: Stopwatch
) -> None:
    path = tmp_path / "a.json"
    watch = Watch(SETTINGS, clock, LOCAL | {"ACCESS_CONFIG": write(path, a=caller(**FULL))})

    def names() -> list[str]:
        found = watch.posted()[1].settings.access
        assert found is not None
        return list(found.callers)

    whole = path.read_text()
    write(path, b=caller(OTHER))
    new = path.read_text()

    for content in (whole[: len(whole) // 2], "", "callers: {}", "a: b", None, "x" * 10**7):
        path.unlink() if content is None else path.write_text(content)
        watch.look()
        watch.look()
        assert names() == ["a"]
        problems = watch.posted()[1].problems
        assert problems
        assert all(one.startswith(f"ACCESS_CONFIG: {path} cannot be used: ") for one in problems)

    # Half of it is seen once: nothing is said about a file that is being written.
    path.write_text(whole)
    watch.look()
    watch.look()
    assert watch.posted()[1].problems == ()
    path.write_text(new[:20])
    watch.look()
    path.write_text(new)
    watch.look()
    assert (names(), watch.posted()[1].problems) == (["a"], ())
    watch.look()
    assert (names(), watch.posted()[1].problems) == (["b"], ())
