"""The page that shows the document, from a real server."""

import re
from collections.abc import Callable, Iterator

import pytest

from tests.calls import call
from tests.sidecar import Sidecar, free_port
from tests.upstream import StreamUpstream

PAGE = "/chat/documentation"


@pytest.fixture(scope="module")
def below(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> Iterator[tuple[Sidecar, int, int]]:
    """A sidecar below a prefix and with all its doors; its client and its status port."""
    client, status = free_port(), free_port()

    with sidecar_before(
        upstream.url, SERVICE_PREFIX="/chat", CLIENT_PORT=str(client), STATUS_PORT=str(status)
    ) as running:
        yield running, client, status


def assets_of(text: str) -> list[str]:
    return re.findall(r'(?:src|href|data-document)="([^"]*)"', text)


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/"])
def test_every_file_of_the_page_is_there(below: tuple[Sidecar, int, int], path: str) -> None:
    sidecar = below[0]
    text = call(sidecar.port, "GET", path).raw.body.decode()
    folder = path.rpartition("/")[0]
    answers = {name: call(sidecar.port, "GET", f"{folder}/{name}") for name in set(assets_of(text))}

    assert len(answers) == 5
    assert {name: one.status for name, one in answers.items()} == dict.fromkeys(answers, 200)
    assert all(one.header("X-Content-Type-Options") == "nosniff" for one in answers.values())
    types = {one.header("Content-Type") for one in answers.values()}
    assert types == {
        "application/json",
        "image/png",
        "text/css; charset=utf-8",
        "text/javascript; charset=utf-8",
    }


def test_no_other_host_is_asked(below: tuple[Sidecar, int, int]) -> None:
    """The policy lets the browser ask nobody else; the page and its style name nobody either."""
    port = below[0].port
    page = call(port, "GET", PAGE)
    style = call(port, "GET", f"{PAGE}/swagger-ui.css").raw.body.decode()
    script = call(port, "GET", f"{PAGE}/page.js").raw.body.decode()
    policy = page.header("Content-Security-Policy") or ""

    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in page.raw.body.decode()
    assert re.findall(r"url\((?!data:|\"data:|#)[^)]*\)|@import", style) == []
    assert "validatorUrl: null" in script
    assert "<script>" not in page.raw.body.decode()
    assert " style=" not in page.raw.body.decode()


def test_what_is_unchanged_is_not_sent_again(below: tuple[Sidecar, int, int]) -> None:
    first = call(below[0].port, "GET", f"{PAGE}/json")
    second = call(below[0].port, "GET", f"{PAGE}/json", f"If-None-Match: {first.header('ETag')}")

    assert (second.status, second.raw.body) == (304, b"")


@pytest.mark.parametrize(
    "path", [PAGE, f"{PAGE}/json", f"{PAGE}/swagger-ui-bundle.js", "/chat/api-key"]
)
def test_head_is_the_same_without_a_body(below: tuple[Sidecar, int, int], path: str) -> None:
    got, head = (call(below[0].port, method, path) for method in ("GET", "HEAD"))

    assert (head.status, head.raw.body) == (200, b"")
    assert head.header("Content-Length") == got.header("Content-Length")


@pytest.mark.parametrize("path", [PAGE, f"{PAGE}/", f"{PAGE}/json", f"{PAGE}/page.js"])
def test_another_method_is_told_which_there_are(below: tuple[Sidecar, int, int], path: str) -> None:
    answer = call(below[0].port, "POST", path)

    assert (answer.status, answer.header("Allow")) == (405, "GET")


@pytest.mark.parametrize(
    "name", ["index.html", "../json", "..%2f__init__.py", "%2e%2e%2fVERSION", "swagger-ui.js", ""]
)
def test_nothing_else_of_the_package_is_served(below: tuple[Sidecar, int, int], name: str) -> None:
    assert call(below[0].port, "GET", f"{PAGE}/x{name}").status in (400, 404)
    assert name == "" or call(below[0].port, "GET", f"{PAGE}/{name}").status in (400, 404)


def test_it_is_at_the_door_of_services_only(below: tuple[Sidecar, int, int]) -> None:
    _, client, status = below

    assert call(client, "GET", PAGE).status == 404
    assert call(status, "GET", f"{PAGE}/json").status == 404


def test_a_page_of_another_site_may_not_read_it(below: tuple[Sidecar, int, int]) -> None:
    answer = call(below[0].port, "GET", f"{PAGE}/json", "Origin: https://elsewhere.example")

    assert answer.status == 403


def test_it_can_be_switched_off(
    upstream: StreamUpstream, sidecar_before: Callable[..., Sidecar]
) -> None:
    with sidecar_before(upstream.url, DOCUMENTATION="false") as running:
        assert call(running.port, "GET", "/documentation").status == 404
        assert call(running.port, "GET", "/documentation/json").status == 404
