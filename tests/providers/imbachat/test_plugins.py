"""The calls of the vendor's plugins for OpenCart, WordPress and LiveStreet, in their forms.

Source: the plugins' public repositories.
"""

from collections.abc import Callable
from typing import Any

import pytest

from tests.calls import Reply, call, segment
from tests.providers.imbachat.conftest import LOGIN, PASSWORD, Site, basic

UNAVAILABLE = {"code": 422, "version": "1.0", "error": "Friends are not available!", "debug": ""}
FRIENDS = [12, "6", "7", 7, "007", "alice", 999999, True, None, {"a": 1}, 6.0, -6, "9" * 30]


@pytest.fixture(scope="module")
def people(one_site: Site) -> Site:
    """The site with two people whose names have two words."""
    one_site.import_users(
        [
            {"userId": "71001", "name": "Mary Jane", "email": "mary@example.com"},
            {"userId": "71002", "name": "Mary_Jane"},
        ]
    )
    return one_site


def test_wordpress_gets_users_info_as_everybody(one_site: Site) -> None:
    wanted = one_site.ask("/imbachat/users/12,6,x,6").json

    for path in ("/imbachat/v1/getusers/12,6,x,6", "/imbachat/v1/getusers/12,6/"):
        reply = one_site.ask(path)
        assert (reply.status, reply.header("Cache-Control"), reply.json) == (
            200,
            "no-store",
            wanted,
        )

    assert one_site.ask("/imbachat/v1/getusers/").json == []


def post(one_site: Site, text: str, *fields: str, **options: Any) -> Reply:
    path = f"/imbachat/v1/searchusers/{text}"
    return call(one_site.sidecar.port, "POST", path, basic(LOGIN, PASSWORD), *fields, **options)


@pytest.mark.parametrize(
    "text", ["Mary_Jane", "mary_JANE", "y_j", "Mary%20Jane", "Mary%5FJane", "_y_j_"]
)
def test_wordpress_posts_its_search_with_an_underscore_for_a_space(people: Site, text: str) -> None:
    reply = post(people, text)

    assert (reply.status, reply.header("Content-Type")) == (200, "application/json")
    assert reply.header("Cache-Control") == "no-store"
    assert reply.json == [{"user_id": 71001, "name": "Mary Jane"}]


@pytest.mark.parametrize(
    ("fields", "body"),
    [
        (["Content-Length: 0"], None),
        ([], {}),
        ([], {"string": "nobody", "other": 1}),
        (["Content-Type: application/x-www-form-urlencoded"], b"string=nobody"),
        (["Content-Type: application/json"], b"{no JSON"),
        (["Content-Type: multipart/form-data; boundary=x"], b"--x--"),
    ],
    ids=["empty", "object", "fields", "form", "bad JSON", "multipart"],
)
def test_whatever_is_in_the_body_the_path_has_the_text(
    people: Site, fields: list[str], body: Any
) -> None:
    assert [one["user_id"] for one in post(people, "Mary_Jane", *fields, body=body).json] == [71001]


@pytest.mark.parametrize("text", ["nobody", "_", "%20", "", "%00", "%FF", "m%25y"])
def test_who_is_not_found_is_an_empty_array(people: Site, text: str) -> None:
    assert (post(people, text).status, post(people, text).json) == (200, [])


def test_livestreet_asks_by_get_and_means_the_underscore(people: Site) -> None:
    found = people.ask("/imbachat/v1/searchusers/mary_jane").json

    assert found == [{"user_id": 71002, "name": "Mary_Jane"}]
    assert people.ask("/imbachat/v1/searchusers/nobody").json == []
    assert people.ask(f"/imbachat/v1/searchusers/{segment('Ёлка')}").json == [
        {"user_id": 12, "name": "Ёлка 100%_a"}
    ]


@pytest.mark.parametrize("path", ["/imbachat/users", "/imbachat/users/"])
@pytest.mark.parametrize("route", ["", "route=extension/module/imbachat/usersearch&"])
def test_opencart_searches_at_the_address_of_users_and_gets_one_object(
    people: Site, path: str, route: str
) -> None:
    reply = people.ask(f"{path}?{route}str=mary+jane")

    assert (reply.status, reply.header("Cache-Control")) == (200, "no-store")
    assert reply.json == {"user_id": 71001, "name": "Mary Jane"}
    assert people.ask(f"{path}?{route}str=71002").json == {"user_id": 71002, "name": "Mary_Jane"}


@pytest.mark.parametrize("text", ["", "+", "nobody", "%00", "%FF", "Bond", "alice", "%25"])
def test_opencart_finds_nobody(one_site: Site, text: str) -> None:
    reply = one_site.ask(f"/imbachat/users?str={text}")
    found = {} if text == "%25" else {"user_id": None, "name": None}  # one name holds `%`

    assert reply.status == 200
    assert reply.json == (found or {"user_id": 12, "name": "Ёлка 100%_a"})


@pytest.mark.parametrize("query", ["ids=6&str=x", "str=x&user_ids=6", "str=a&str=b", "str=&ids=6"])
def test_what_is_asked_for_in_two_ways_is_400(one_site: Site, query: str) -> None:
    reply = one_site.ask(f"/imbachat/users?{query}")

    assert (reply.status, reply.json["code"], reply.json["debug"]) == (400, 400, "")
    assert "`str`" in reply.json["error"]
    assert one_site.ask("/imbachat/users/6?str=x").status == 400


def test_friends_are_not_available_unless_they_are_switched_on(one_site: Site) -> None:
    """The plugin says so with the status 200."""
    reply = one_site.ask("/imbachat/v1/user/friends/6")

    assert (reply.status, reply.json) == (200, UNAVAILABLE)


def test_friends(imbachat_before: Callable[..., Any]) -> None:
    with imbachat_before(IMBACHAT_FRIENDS="true") as site:
        site.import_users(
            [
                {"userId": "6", "name": "John", "custom": {"chat_role": "admin"}},
                {"userId": "7", "email": "7@example.com"},
                {"userId": "12", "name": "Twelve"},
                {"userId": "007", "custom": {"friends": [6]}},
                {"userId": "20", "custom": {"friends": FRIENDS}},
                {"userId": "21", "custom": {"friends": "6,7"}},
                {"userId": "22", "custom": {"friends": {"6": 7}}},
                {"userId": "23", "custom": {"friends": []}},
            ]
        )

        assert site.ask("/imbachat/v1/user/friends/20").json == [
            {"user_id": 12, "name": "Twelve"},
            {"user_id": 6, "name": "John", "chat_role": "admin"},
            {"user_id": 7, "name": "7"},
        ]
        assert site.ask("/imbachat/v1/user/friends/20").header("Cache-Control") == "no-store"

        for nobody in ("21", "22", "23", "6", "007", "999", "alice", "20,21", "", "%FF", "%00"):
            reply = site.ask(f"/imbachat/v1/user/friends/{nobody}")
            assert (reply.status, reply.json) == (200, [])

        # Whom somebody is friends with is told here only.
        assert "friends" not in site.ask("/imbachat/users/20").json[0]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/imbachat/v1/getusers/6"),
        ("POST", "/imbachat/v1/user/friends/6"),
        ("PUT", "/imbachat/v1/searchusers/x"),
        ("POST", "/imbachat/api/v1/search/x"),
    ],
)
def test_other_methods_are_405(one_site: Site, method: str, path: str) -> None:
    reply = call(one_site.sidecar.port, method, path, basic(LOGIN, PASSWORD))

    assert (reply.status, reply.json["code"]) == (405, 405)
