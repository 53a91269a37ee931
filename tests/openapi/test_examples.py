"""Every example of the document is sent to a real sidecar, and the answer is what it says."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from jsonschema import Draft202012Validator

from tests.calls import Reply, call
from tests.openapi.house import LOGIN, PASSWORD, House, house
from tests.openapi.reading import closed, operations, resolved

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text())
#: Those that end what the others need come last, in this order.
ENDING = (
    "imkitClientsDeleteToken",
    "performchatInvalidationInvalidate",
    "chatsdkRevocationRevoke",
    "v1End",
    "chatsdkUserDelete",
)
EACH = sorted(
    operations(DOCUMENT),
    key=lambda one: 1 + ENDING.index(name) if (name := one[2]["operationId"]) in ENDING else 0,
)

#: What differs from run to run: a token, an id that is made here, a time.
TOLD_APART = re.compile(
    r"eyJ[\w.…-]*|guest-[\w-]*|it_[\w.…-]*|(pk|cu)_[\w…]*|[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.]*Z"
)
#: Fields that differ as a whole.
CHANGING = {
    "iat", "exp", "jti", "newTokenVersion", "tokenVersion", "lastLoginTimeMS", "token", "api_key",
    "scriptUrl", "apiKey", "baseUrl", "reason",
}  # fmt: skip


@pytest.fixture(scope="module")
def home(output_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(output_folder / "examples.log", tmp_path_factory.mktemp("examples")) as made:
        yield made


@pytest.mark.parametrize("one", EACH, ids=lambda one: f"{one[1]} {one[0]}")
def test_an_example_is_answered_as_the_document_says(
    home: House, one: tuple[str, str, dict[str, Any]]
) -> None:
    path, method, operation = one
    answer = send(home, path, method, operation)
    responses = operation["responses"]
    told = responses.get(str(answer.status), responses.get("default"))

    assert answer.status not in (401, 500, 503), answer.raw.body
    assert told is not None, answer.status
    assert answer.status in expected_of(operation) or "default" in responses, answer.raw.body
    check_headers(answer, resolved(DOCUMENT, told))
    check_body(answer, resolved(DOCUMENT, told))


def test_most_operations_have_an_example_of_their_answer() -> None:
    """The rest are calls that a provider answers, and those without a body."""
    without = {
        path
        for path, _, operation in EACH
        if "default" not in operation["responses"]
        and not any(
            "example" in media
            for status in ("200", "201")
            for media in operation["responses"].get(status, {}).get("content", {}).values()
        )
    }

    assert without == {
        "/-/console",
        "/-/metrics",
        "/api/{path}",
        "/documentation",
        "/documentation/json",
        "/documentation/{name}",
        "/imkit/socket.io",
        "/imkit/socket.io/{path}",
        "/imkit/{path}",
        "/v1/users/{userId}",
        "/ws",
        "/ws/{path}",
    }


def send(home: House, path: str, method: str, operation: dict[str, Any]) -> Reply:
    """Send the example: parameters, body, and the first way to be let in."""
    query, fields = [], [f"{name}: {text}" for name, text in credentials(home, operation)]

    for parameter in operation.get("parameters", ()):
        given = as_made(home, parameter.get("example"))

        if given is None:
            continue

        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", quote(str(given), safe=""))
        elif parameter["in"] == "query":
            query += [
                (parameter["name"], one)
                for one in ([given] if not isinstance(given, list) else given)
            ]
        else:
            fields.append(f"{parameter['name']}: {given}")

    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    body = as_made(home, content.get("example"))
    target = f"{path}?{urlencode(query)}" if query else path
    return call(home.sidecar.port, method.upper(), target, *fields, body=body)


def credentials(home: House, operation: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The fields of the first alternative."""
    alternatives = operation["security"]
    # A client's, where there is a choice: a platform has to name whom it speaks for.
    scheme = next((one for one in alternatives if "imkitToken" in one), None)
    basic = base64.b64encode(f"{LOGIN}:{PASSWORD}".encode()).decode()
    key = home.key["apiKey"]
    known = {
        "chatsdkKey": ("X-API-Key", key),
        "chatsdkToken": ("Authorization", f"Bearer {home.chatsdk['token']}"),
        "chatsdkRefreshToken": ("Authorization", f"Bearer {home.chatsdk['token']}"),
        "chatsdkWsToken": ("Authorization", f"Bearer {home.chatsdk['wsToken']}"),
        "performchatToken": ("Authorization", f"Bearer {home.performchat['token']}"),
        "imkitKey": ("IM-API-KEY", key),
        "imkitClientKey": ("IM-Client-Key", home.client_key),
        "imkitToken": ("IM-Authorization", home.imkit_token),
        "imbachatLogin": ("Authorization", f"Basic {basic}"),
    }
    yield from (known[name] for name in scheme or next(iter(alternatives), {}))


def as_made(home: House, example: Any) -> Any:
    """The example with what it cannot know: keys, tokens and ids that were made here."""
    if isinstance(example, dict):
        return {name: as_made(home, one) for name, one in example.items()}

    real = {
        "pk_…": home.key["keyId"],
        "sk_…": home.key["keySecret"],
        "cu_…": home.performchat_id,
        "it_…": home.imkit_token,
    }
    return real.get(example, example) if isinstance(example, str) else example


def expected_of(operation: dict[str, Any]) -> tuple[int, ...]:
    """The status of the answer that has an example, else the first that there is."""
    answers = operation["responses"]

    if "101" in answers:  # the socket, which no call of JSON opens (`tests/providers/imkit`)
        return (400, 404)

    good = [status for status in ("201", "200", "204", "501") if status in answers]
    shown = [
        status
        for status in good
        if any("example" in one for one in answers[status].get("content", {}).values())
    ]
    return (int((shown or good)[0]),)


def check_headers(answer: Reply, told: dict[str, Any]) -> None:
    for name, header in told.get("headers", {}).items():
        if resolved(DOCUMENT, header)["required"]:
            assert answer.header(name) is not None, name


def check_body(answer: Reply, told: dict[str, Any]) -> None:
    content = told.get("content", {})
    media = (answer.header("Content-Type") or "").partition(";")[0]

    if "*/*" in content and media not in content:
        return

    assert (media in content) == bool(answer.raw.body), media
    described = content.get(media, {})

    if media != "application/json" or "schema" not in described:
        return

    errors = list(
        Draft202012Validator(closed(DOCUMENT, described["schema"])).iter_errors(answer.json)
    )
    assert errors == []

    if "example" in described and "*/*" not in content:
        assert masked(answer.json) == masked(described["example"])


def masked(value: Any, name: str = "") -> Any:
    """A value with what differs from run to run made alike."""
    if isinstance(value, dict):
        return {inner: masked(one, inner) for inner, one in value.items()}

    if isinstance(value, list):
        return [masked(one) for one in value]

    if name in CHANGING:
        return "…"

    return TOLD_APART.sub("…", value) if isinstance(value, str) else value
