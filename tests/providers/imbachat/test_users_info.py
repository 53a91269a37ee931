"""Users info: the vendor's page and plugins, and what a stranger may put into a list."""

from collections.abc import Callable
from typing import Any

import pytest

from tests import canaries, commands
from tests.calls import call, segment
from tests.providers.imbachat.conftest import PEOPLE, Site

FORMS = [
    "/imbachat/users/{}",
    "/imbachat/users?user_ids={}",
    "/imbachat/users?ids={}",
    "/imbachat/users/?ids={}",
    "/imbachat/api/v1/users/{}",
    "/imbachat/api/v1/users?user_ids={}",
    "/imbachat/api/v1/users?ids={}",
]
LARGEST = 2**53 - 1


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_answered_with_a_bare_array(site: Site, form: str) -> None:
    reply = site.ask(form.format("12,6"))

    assert (reply.status, reply.header("Content-Type")) == (200, "application/json")
    assert reply.header("Cache-Control") == "no-store"
    assert reply.json == [
        {"user_id": 12, "name": "Ёлка 100%_a"},
        {
            "user_id": 6,
            "name": "John",
            "avatar_url": "https://cdn.example/6.png",
            "profile_url": "https://shop.example/members/6/",
            "lastlogin": 1700000000,
            "badge": "vip",
            "profiles": PEOPLE[0]["custom"]["profiles"],
        },
    ]


def test_a_user_without_a_name_has_its_id_for_one(site: Site) -> None:
    assert site.ask("/imbachat/users/7").json == [{"user_id": 7, "name": "7"}]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("nothing", ["", ",", ",,,", "%2C", "%20", ",%20,"])
def test_an_empty_list_is_an_empty_array(site: Site, form: str, nothing: str) -> None:
    reply = site.ask(form.format(nothing))

    assert (reply.status, reply.raw.body.strip()) == (200, b"[]")


def test_without_any_list_too(site: Site) -> None:
    assert site.ids("/imbachat/users") == site.ids("/imbachat/api/v1/users?other=6") == []


@pytest.mark.parametrize("form", FORMS)
def test_unknown_ids_are_skipped(site: Site, form: str) -> None:
    assert site.ids(form.format("999999,6,888888")) == [6]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "item",
    [
        "x6",
        "6x",
        "1x2",
        "alice",
        "6;7",
        "6/7",
        "6 7",
        "6\t",
        "6\n",
        "6\0",
        "\\6",
        "-6",
        "+6",
        "6.0",
        "6e0",
        "0x6",
        "0",
        "06",
        "007",
        "٦",
        "1٢",
        "６",
        "6\u0301",
        "\u200b6",
        "\u00a06",
        "[6]",
        '"6"',
        "6'",
        "6) OR (1=1",
        "6--",
        "%",
        "null",
        "9" * 30,
        "9007199254740993",
        "18446744073709551622",
        "x" * 4000,
    ],
    ids=lambda item: ascii(item)[:24],
)
def test_what_is_no_id_is_skipped_and_never_another_user(site: Site, form: str, item: str) -> None:
    assert site.ids(form.format(f"{segment(item)},12")) == [12]
    assert site.ids(form.format(segment(item))) == []


@pytest.mark.parametrize("item", ["%FF", "%C3%28", "6%FF"])
def test_what_is_no_utf_8_is_skipped_too(site: Site, item: str) -> None:
    assert site.ids(f"/imbachat/users/{item},12") == [12]
    assert site.ids(f"/imbachat/users?ids={item},12") == [12]


@pytest.mark.parametrize("form", FORMS)
def test_who_is_asked_for_twice_is_answered_once(site: Site, form: str) -> None:
    assert site.ids(form.format("6,7,6,,6,%36")) == [6, 7]


def test_spaces_around_an_id_do_not_count(site: Site) -> None:
    assert site.ids("/imbachat/users?ids=6,%207,+12+") == [6, 7, 12]


def test_all_places_that_hold_ids_are_read(site: Site) -> None:
    assert site.ids("/imbachat/users/6?user_ids=7&ids=6&ids=12") == [6, 7, 12]


@pytest.mark.parametrize("path", ["/imbachat/users//6,7", "/imbachat/users/6,7/"])
def test_a_slash_too_many_hides_nobody(site: Site, path: str) -> None:
    assert site.ids(path) == [6, 7]


def test_the_largest_id_that_a_browser_reads_is_known(site: Site) -> None:
    site.import_users([{"userId": str(LARGEST)}, {"userId": str(LARGEST + 1)}])

    assert site.ids(f"/imbachat/users/{LARGEST},{LARGEST + 1}") == [LARGEST]


def test_500_in_one_call(site: Site) -> None:
    site.import_users([{"userId": str(number)} for number in range(40000, 40500)])
    wanted = list(range(40000, 40500))
    listed = ",".join(map(str, wanted))

    assert site.ids(f"/imbachat/users/{listed}") == wanted
    assert site.ids(f"/imbachat/users?user_ids={listed}") == wanted


def test_as_many_as_the_request_line_holds_and_no_more(site: Site) -> None:
    listed = ",".join(map(str, range(1, 1840)))

    assert 8000 < len(listed) < 8100
    assert set(site.ids(f"/imbachat/users/{listed}")) >= {6, 7, 12}
    assert site.ask("/imbachat/users?ids=" + ",".join(map(str, range(10_000)))).status == 414


#: Metadata, and what is told of it.
METADATA: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"avatar_url": "https://x/b.png"}, {"avatar_url": "https://x/b.png"}),
    ({"avatar_url": False}, {"avatar_url": False}),
    ({"avatar_url": "javascript:alert(1)"}, {"avatar_url": "https://x/a.png"}),
    ({"profile_url": "HTTP://x/"}, {"profile_url": "HTTP://x/"}),
    ({"profile_url": "javascript:alert(1)"}, {}),
    ({"profile_url": False}, {}),
    ({"profile_url": ["https://x/"]}, {}),
    ({"lastlogin": 0}, {"lastlogin": 0}),
    ({"lastlogin": "yesterday"}, {}),
    ({"lastlogin": True}, {}),
    ({"badge": 3}, {"badge": 3}),
    ({"badge": "<b>"}, {"badge": "<b>"}),
    ({"badge": {"a": 1}}, {}),
    ({"badge": None}, {}),
    ({"profiles": {}}, {}),
    (
        {
            "profiles": {
                "1": {"user_id": 1, "name": "A", "avatar_url": "javascript:x", "secret": "s"},
                "2": {"user_id": {"x": 1}, "name": "B"},
                "3": {"user_id": "C", "name": None},
            }
        },
        {"profiles": {"1": {"user_id": 1, "name": "A"}}},
    ),
    ({"profiles": [1]}, {}),
    ({"profiles": {"11": "x"}}, {}),
    ({"profiles": {"11": {"user_id": "P"}}}, {}),
    ({"user_id": 6, "name": "Mallory", "permissions": {}}, {}),
    ({"user_mail": "john@example.com"}, {"user_mail": "john@example.com"}),
    ({"user_mail": "John <john@example.com>"}, {}),
    ({"user_mail": "john@example.com\r\nBcc: x@y"}, {}),
    ({"user_mail": "a" * 400 + "@b"}, {}),
    ({"user_mail": "no address"}, {}),
    ({"user_mail": ["john@example.com"]}, {}),
    ({"user_mail": True}, {}),
    ({"chat_role": "admin"}, {"chat_role": "admin"}),
    ({"chat_role": "user"}, {"chat_role": "user"}),
    ({"chat_role": "Admin"}, {}),
    ({"chat_role": "administrator"}, {}),
    ({"chat_role": ["admin"]}, {}),
    ({"chat_role": True}, {}),
    ({"role": "admin", "user_role": "admin"}, {}),
    ({"permissions": False}, {"permissions": False}),
    ({"permissions": True}, {}),
    ({"permissions": None}, {}),
    ({"permissions": 0}, {}),
    ({"permissions": "all"}, {}),
    ({"permissions": ["send_message"]}, {}),
    ({"permissions": {"billing": True}}, {}),
    (
        {"permissions": {"send_message": 1, "send_files": False, "send_geo": "no", "billing": 1}},
        {"permissions": {"send_message": True, "send_files": False, "send_geo": False}},
    ),
    (
        {"permissions": {"audio_calls": "1", "video_calls": 2, "available_chat": True}},
        {"permissions": {"available_chat": True, "audio_calls": False, "video_calls": False}},
    ),
]
FIRST = 50_000


@pytest.fixture(scope="module")
def described(site: Site) -> Site:
    """The site with a user for each row of `METADATA`."""
    site.import_users(
        [
            {
                "userId": str(FIRST + row),
                "image": "https://x/a.png",
                "email": f"{row}@directory.example",
                "custom": custom,
            }
            for row, (custom, _) in enumerate(METADATA)
        ]
    )
    return site


@pytest.mark.parametrize("row", range(len(METADATA)), ids=lambda row: str(METADATA[row][0]))
def test_metadata_of_the_right_type_is_told(described: Site, row: int) -> None:
    number = FIRST + row
    bare = {"user_id": number, "name": f"{number}", "avatar_url": "https://x/a.png"}

    assert described.ask(f"/imbachat/users/{number}").json == [bare | METADATA[row][1]]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/imbachat/users", "/imbachat/api/v1/users/6"])
def test_other_methods_are_405_in_the_same_shape(site: Site, method: str, path: str) -> None:
    reply = call(site.sidecar.port, method, path)

    assert (reply.status, reply.header("Allow"), reply.json["code"]) == (405, "GET", 405)


def test_the_users_are_those_of_one_app(imbachat_before: Callable[..., Any]) -> None:
    with imbachat_before(IMBACHAT_APP="shop") as other:
        other.import_users([{"userId": "6", "name": "Of another app"}])

        assert other.ids("/imbachat/users/6") == []


def test_it_is_the_same_person_as_elsewhere(
    imbachat_before: Callable[..., Any],
) -> None:
    secrets = {
        "CHATSDK_JWT_SECRET": canaries.JWT_SECRET,
        "CENTRIFUGO_TOKEN_SECRET": canaries.CENTRIFUGO_SECRET,
    }

    with imbachat_before(PROVIDERS="chatsdk,imbachat", **secrets) as site:
        port = site.sidecar.port
        key = commands.answer(site.sidecar.environ, "keys", "create", "tests")["apiKey"]
        body = {"userId": "42", "name": "Dora", "custom": {"badge": "new"}}
        field = f"X-API-Key: {key}"
        assert call(port, "POST", "/tokens", field, body=body).status == 200
        assert site.ask("/imbachat/users/42").json == [
            {"user_id": 42, "name": "Dora", "badge": "new"}
        ]

        assert call(port, "DELETE", "/api/users/42", field).status == 200
        assert site.ids("/imbachat/users/42") == []
        assert "data" not in site.ask("/imbachat/api/v1/search/Dora").json
