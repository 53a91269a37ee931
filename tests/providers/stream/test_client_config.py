"""The mounted document: swapped when it changes, kept when the change is bad."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from chatproxy.providers.stream.client_config import DocumentError, parse
from tests.mounted import swap, wait_for
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import ask, get


@pytest.mark.parametrize("content", [b'{"web"', b"[]", b"", b"\xff", b'{"web": 1}'])
def test_a_bad_document_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError):
        parse(content)


def test_a_byte_order_mark_is_no_part_of_the_document() -> None:
    assert parse(b'\xef\xbb\xbf{"web": {"v": 1}}') == {"web": {"v": 1}}


def test_what_a_caller_gets_is_its_own(
    tmp_path: Path, upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    """The answer has further fields; the next one does not find them in the document."""
    (tmp_path / "style.json").write_text('{"web": {"v": 1, "errors": {"a": 1}}}')

    with sidecar_before(upstream.url, STYLE_CONFIG=str(tmp_path / "style.json")) as sidecar:
        answers = [
            json.loads(ask(sidecar.port, get("/config?clientType=web", *fields)).body)
            for fields in ((), ("userid: alice",), ())
        ]

    assert answers[0] == answers[2] == {"v": 1, "errors": {"a": 1}}
    assert answers[1]["authentication"]["userId"] == "alice"


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        ('{"web": {"v": 1},}', "line 1: not valid JSON"),
        ('{"web": 1}', "an object of objects"),
        ('{"web": {},\n "b": 1,\n "c": []}', "line 2: b: is no object.*line 3: c: is no object"),
        ('{"web": {"v": 1,\n "v": 2}}', "line 2: web.v is there twice, first in line 1"),
        ('{"web": {},\n\n "web": {}}', "line 3: web is there twice, first in line 1"),
        ('{"a": {"v": "\\ud83d\\ude00", "v": 2}}', "is there twice"),
        ('{"web": {"v": NaN}}', "NaN is no JSON"),
        ('{"web": {"v": ' + "[" * 100 + "]" * 100 + "}}", "64 levels deep"),
        ('{"web": {"v": [' + "[]," * 10_000 + "[]]}}", "more than 10000 objects and lists"),
    ],
    ids=["comma", "shape", "shapes", "twice", "type twice", "twice, unread", "NaN", "deep", "many"],
)
def test_the_fault_says_what_is_wrong(broken: str, fault: str) -> None:
    with pytest.raises(DocumentError, match=fault):
        parse(broken.encode())


def test_a_text_in_it_may_hold_any_number_of_brackets() -> None:
    document = {"web": {"v": "[{," * 30_000}}

    assert parse(json.dumps(document).encode()) == document


def test_a_swapped_config_map_reaches_every_worker_and_a_broken_one_none(
    tmp_path: Path, upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    swap(tmp_path, {"style.json": '{"web": {"v": 1}}'})
    path = str(tmp_path / "style.json")

    with sidecar_before(upstream.url, STYLE_CONFIG=path, WORKERS="2") as sidecar:
        assert _versions(sidecar) == {1}
        swap(tmp_path, {"style.json": '{"web": {"v": 2}}'})
        wait_for(lambda: _versions(sidecar) == {2})
        swap(tmp_path, {"style.json": '{"web": {"v": 3'})
        wait_for(lambda: "config" in json.loads(ask(sidecar.port, get("/-/ready")).body))
        assert _versions(sidecar) == {2}
        assert ask(sidecar.port, get("/-/ready")).status == 200


def _versions(sidecar: Sidecar) -> set[int]:
    """The versions that 20 fresh connections see, over all workers."""
    answers = [ask(sidecar.port, get("/config?clientType=web")) for _ in range(20)]
    return {json.loads(answer.body)["v"] for answer in answers}
