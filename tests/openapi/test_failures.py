"""What is refused on every path is refused with a status and a body that the document has there."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.calls import Reply
from tests.openapi.house import House, house
from tests.openapi.reading import closed, operations, resolved
from tests.wire import ask

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
OWN = "127.0.0.1"


@pytest.fixture(scope="module")
def home(output_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(output_folder / "failures.log", tmp_path_factory.mktemp("failures")) as made:
        yield made


def head(method: str, path: str, *fields: str, host: str = OWN) -> bytes:
    lines = (f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *fields, "", "")
    return "\r\n".join(lines).encode()


KINDS: dict[str, tuple[int, Callable[[str, str], bytes]]] = {
    "a host that is not ours": (421, lambda *one: head(*one, host="elsewhere.example")),
    "a page of another site": (403, lambda *one: head(*one, "Origin: https://elsewhere.example")),
    "a line that is too long": (414, lambda method, path: head(method, f"{path}?{'x' * 9000}")),
    "too many headers": (431, lambda *one: head(*one, *(f"X-{n}: 1" for n in range(200)))),
    "a header that is none": (400, lambda *one: head(*one, "no header")),
    "another coding": (501, lambda *one: head(*one, "Transfer-Encoding: unknown")),
    "another expectation": (417, lambda *one: head(*one, "Expect: something")),
    "a dot segment": (400, lambda method, path: head(method, f"{path}/%2e%2e/x")),
    "no host": (400, lambda method, path: f"{method} {path} HTTP/1.1\r\n\r\n".encode()),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_refused_everywhere_is_in_the_document(home: House, kind: str) -> None:
    status, request = KINDS[kind]
    seen: set[int] = set()

    for path, method, operation in operations(DOCUMENT):
        filled = path.replace("{", "").replace("}", "")
        answer = Reply(ask(home.sidecar.port, request(method.upper(), filled)))
        seen.add(answer.status)

        # A dot segment may have led to a path that nothing serves, or not by this method.
        if kind == "a dot segment" and answer.status in (404, 405):
            continue

        assert fault_of(answer, operation) == "", (method, path, answer.status, answer.raw.body)

        if str(status) in operation["responses"] and status not in (403, 421):
            assert answer.status == status, (method, path, answer.raw.body)

    assert status in seen


def fault_of(answer: Reply, operation: dict[str, Any]) -> str:
    """What the document does not have of an answer."""
    told = operation["responses"].get(str(answer.status), operation["responses"].get("default"))

    if told is None:
        return "no such status"

    content = resolved(DOCUMENT, told).get("content", {})
    media = (answer.header("Content-Type") or "").partition(";")[0]

    if answer.raw.body and media not in content and "*/*" not in content:
        return f"no such type: {media}"

    schema = content.get(media, {}).get("schema")

    if schema is None or media != "application/json":
        return ""

    faults = Draft202012Validator(closed(DOCUMENT, schema)).iter_errors(answer.json)
    return "; ".join(one.message for one in faults)
