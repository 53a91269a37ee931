"""The mounted document: swapped when it changes, kept when the change is bad."""

import json
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from chatproxy.providers.stream.client_config import ClientConfig, DocumentError, parse
from tests.sidecar import Sidecar
from tests.stopwatch import Stopwatch
from tests.upstream import StreamUpstream
from tests.wire import ask, get


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "style.json"
    path.write_text('{"web": {"v": 1}}')
    return path


def test_a_change_is_seen_after_a_second_not_before(path: Path, clock: Stopwatch) -> None:
    config = ClientConfig(str(path), clock)
    path.write_text('{"web": {"v": 2}}')
    before = config.for_client_type("web")
    clock.now = 1.0

    assert before == {"v": 1}
    assert config.for_client_type("web") == {"v": 2}


@pytest.mark.parametrize("broken", ['{"web"', "[]", "", None])
def test_a_bad_change_keeps_the_last_good_one_and_is_logged_once(
    path: Path, clock: Stopwatch, broken: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    config = ClientConfig(str(path), clock)
    path.unlink() if broken is None else path.write_text(broken)

    for clock.now in (1.0, 2.0, 3.0):  # noqa: B007 - each turn is a later look
        assert config.for_client_type("web") == {"v": 1}

    assert config.fault
    assert len([one for one in caplog.records if one.levelno == logging.ERROR]) == 1


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ('{"web": {"v": 1},}', "line 1: not valid JSON"),
        ('{"web": 1}', "an object of objects"),
        ('{"web": {"v": 1, "v": 2}}', "a name is there twice"),
        ('{"web": {"v": NaN}}', "NaN is no JSON"),
        ('{"web": {"v": ' + "[" * 100 + "]" * 100 + "}}", "64 levels deep"),
        ('{"web": {"v": [' + "[]," * 10_000 + "[]]}}", "more than 10000 objects and lists"),
    ],
    ids=["comma", "shape", "twice", "NaN", "deep", "many"],
)
def test_the_fault_says_what_is_wrong(broken: str, fault: str) -> None:
    with pytest.raises(DocumentError, match=fault):
        parse(broken.encode())


def test_a_text_in_it_may_hold_any_number_of_brackets() -> None:
    document = {"web": {"v": "[{," * 30_000}}

    assert parse(json.dumps(document).encode()) == document


@pytest.mark.parametrize("broken", ['{"web"', None])
def test_the_mended_document_is_taken_even_if_it_is_the_old_one(
    path: Path, clock: Stopwatch, broken: str | None
) -> None:
    config = ClientConfig(str(path), clock)
    path.unlink() if broken is None else path.write_text(broken)
    clock.now = 1.0
    config.refresh()
    path.write_text('{"web": {"v": 1}}')
    clock.now = 2.0
    config.refresh()

    assert config.fault is None


def test_what_a_caller_does_with_its_copy_stays_its_own(path: Path, clock: Stopwatch) -> None:
    config = ClientConfig(str(path), clock)
    config.for_client_type("web")["v"] = 9

    assert config.for_client_type("web") == {"v": 1}


def test_a_swapped_config_map_reaches_every_worker_and_a_broken_one_none(
    tmp_path: Path, upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    _swap(tmp_path, "1", '{"web": {"v": 1}}')
    path = str(tmp_path / "style.json")

    with sidecar_before(upstream.url, STYLE_CONFIG=path, WORKERS="2") as sidecar:
        assert _versions(sidecar) == {1}
        _swap(tmp_path, "2", '{"web": {"v": 2}}')
        _wait_for(lambda: _versions(sidecar) == {2})
        _swap(tmp_path, "3", '{"web": {"v": 3')
        _wait_for(lambda: "config" in json.loads(ask(sidecar.port, get("/-/ready")).body))
        assert _versions(sidecar) == {2}
        assert ask(sidecar.port, get("/-/ready")).status == 200


def _swap(folder: Path, version: str, content: str) -> None:
    """Replace the document as a cluster does: a new folder, then one link is moved."""
    (folder / version).mkdir()
    (folder / version / "style.json").write_text(content)
    (folder / "..data.new").symlink_to(version)
    os.replace(folder / "..data.new", folder / "..data")

    if not (folder / "style.json").is_symlink():
        (folder / "style.json").symlink_to("..data/style.json")


def _versions(sidecar: Sidecar) -> set[int]:
    """The versions that 20 fresh connections see, over all workers."""
    answers = [ask(sidecar.port, get("/config?clientType=web")) for _ in range(20)]
    return {json.loads(answer.body)["v"] for answer in answers}


def _wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 5

    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)
