"""`/imbachat/api/v1/search/<key>`: October's envelope, and texts that mean something to SQL."""

from typing import Any

import pytest

from tests.calls import segment
from tests.providers.imbachat.conftest import Site


def found(site: Site, text: str) -> list[dict[str, Any]]:
    reply = site.ask(f"/imbachat/api/v1/search/{segment(text)}")
    assert reply.status == 200, reply.json
    assert (reply.json["code"], reply.json["version"]) == (200, "1.0")
    # October's plugin leaves `data` out where nobody is found.
    people: list[dict[str, Any]] = reply.json.get("data", [])
    assert ("data" in reply.json) is bool(people)
    return people


def test_the_envelope(site: Site) -> None:
    reply = site.ask("/imbachat/api/v1/search/john")

    assert reply.header("Cache-Control") == "no-store"
    assert reply.json == {
        "code": 200,
        "version": "1.0",
        "data": [{"user_id": 6, "name": "John", "email": "john@example.com"}],
    }


@pytest.mark.parametrize("text", ["Ёлка", "ёЛКА", "лк", "  ёлка ", "100%_A", "%_", "12", "100%"])
def test_a_text_of_any_script_is_found_in_any_case(site: Site, text: str) -> None:
    assert found(site, text) == [{"user_id": 12, "name": "Ёлка 100%_a", "email": ""}]


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "_ohn",
        "J%n",
        "J*n",
        "J.hn",
        "[J]ohn",
        "Ё.ка",
        "Ё%а",
        "(?i)ёлка",
        "' OR '1'='1",
        "x' UNION SELECT * FROM users --",
        "//john",
        "\\john",
        "\0",
        "john\0",
        "jo\nhn",
        "...",
        "nobody",
        "Ёлка" * 200,
        "\ufffd",
        "x" * 7000,
    ],
    ids=lambda text: ascii(text)[:24],
)
def test_nothing_in_a_text_is_a_pattern(site: Site, text: str) -> None:
    assert found(site, text) == []


@pytest.mark.parametrize("text", ["Bond", "007", "Alice", "Too large", "9007199254740993"])
def test_whom_imbachat_cannot_know_is_not_found(site: Site, text: str) -> None:
    assert found(site, text) == []


def test_what_is_no_utf_8_finds_nobody(site: Site) -> None:
    assert site.ask("/imbachat/api/v1/search/%FFjohn").json == {"code": 200, "version": "1.0"}


def test_the_list_is_bounded_and_the_exact_id_is_on_it(site: Site) -> None:
    site.import_users(
        [{"userId": f"777{number}", "name": "One of many"} for number in range(100, 180)]
        + [{"userId": f"0-{number}", "name": "One of many"} for number in range(60)]
        + [{"userId": "777", "name": "One of many"}]
    )

    assert len(found(site, "one OF many")) == 50
    assert found(site, "777")[0]["user_id"] == 777
    assert len(found(site, "777")) == 50


def test_a_slash_belongs_to_the_text(site: Site) -> None:
    site.import_users([{"userId": "60001", "name": "AC/DC"}])

    assert [one["user_id"] for one in found(site, "c/d")] == [60001]
    assert site.ask("/imbachat/api/v1/search/c/d").json["data"] == found(site, "c/d")
