"""`/imkit/admin/clients` and `/imkit/me`: clients made, changed, listed."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.calls import call
from tests.providers.imkit.conftest import Site, moment
from tests.providers.imkit.refusals import refusal

PICTURE = "https://pictures.example/alice.png"
LONGEST = {"_id": 255, "nickname": 1024, "avatarUrl": 8192, "email": 1024, "description": 8192}


def test_a_client_is_made_with_all_that_is_said_of_it(site: Site) -> None:
    said = {
        "nickname": "Ålice",
        "avatarUrl": PICTURE,
        "email": "a@b.example",
        "description": "hi",
        "publicKey": "MFkw",
    }
    made = site.put("whole", **said)

    assert {name: made[name] for name in said} == said
    assert (made["_id"], made["id"], made["appID"]) == ("whole", "whole", "default")
    assert made["updatedAt"].endswith("Z")
    assert not {"token", "expirationDate", "lastLoginTimeMS"} & set(made)


def test_what_is_not_said_again_stays(site: Site) -> None:
    site.put("kept", nickname="K", avatarUrl=PICTURE, description="d")
    changed = site.put("kept", nickname="L", avatarUrl=None, email="")

    assert (changed["nickname"], changed["avatarUrl"]) == ("L", PICTURE)
    assert changed["description"] == "d"
    assert "email" not in changed


def test_a_client_without_a_profile_has_none(site: Site) -> None:
    assert set(site.put("plain")) == {"_id", "id", "appID", "createdAt", "updatedAt"}


def test_a_client_is_the_same_person_at_every_surface(imkit_before: Any) -> None:
    more = {
        "PROVIDERS": "imkit,chatsdk",
        "CHATSDK_JWT_SECRET": "j" * 40,
        "CENTRIFUGO_TOKEN_SECRET": "c" * 40,
    }
    with imkit_before(**more) as site:
        site.put("person", nickname="Per")
        token = site.token("person")
        key = f"X-API-Key: {site.api_key}"
        shown = call(site.sidecar.port, "GET", "/api/users/person", key).json["user"]
        revoked = call(site.sidecar.port, "POST", "/api/users/person/revoke-tokens", key)

        assert (shown["name"], revoked.status) == ("Per", 200)
        assert refusal(site.acting(token, "GET", "/me")) == (401, 401, "INVALID_TOKEN")


@pytest.mark.parametrize(
    "client_id", ["a/b", "ü", "ユーザー", "a b", "😀", "a%2Fb", "x" * 255, "a;b", "'\""]
)
def test_ids_of_every_script(site: Site, client_id: str) -> None:
    assert site.put(client_id)["_id"] == client_id
    assert site.bind(client_id, f"token-of-{quote(client_id)}"[:200]).status == 200
    assert site.unbind(client_id).json["result"]["revokedTokens"] == 1


BAD_IDS = [
    None, "", "x" * 256, "x" * 300, 7, 1.5, True, [], {}, ["a"],
    "a\0b", "a\nb", "a\x7fb", " a", "a ", "\ud800", "a\u2028b", ".", "..",
]  # fmt: skip


@pytest.mark.parametrize("client_id", BAD_IDS, ids=repr)
def test_an_id_that_no_client_can_have(site: Site, client_id: Any) -> None:
    reply = site.ask("POST", "/admin/clients", body={"_id": client_id})

    assert refusal(reply) == (400, 400, "INVALID_BODY")
    assert reply.json["RM"].startswith("_id: ")


def test_a_missing_id_is_a_missing_parameter(site: Site) -> None:
    reply = site.ask("POST", "/admin/clients", body={"nickname": "N"})

    assert refusal(reply) == (400, 400, "MISSING_PARAMETER")


@pytest.mark.parametrize("name", ["nickname", "avatarUrl", "email", "description", "publicKey"])
@pytest.mark.parametrize("value", [7, True, [], {"a": 1}, "a\0b", "\udfff"], ids=repr)
def test_a_profile_of_a_wrong_type_changes_nothing(site: Site, name: str, value: Any) -> None:
    before = site.put("typed", nickname="T")
    reply = site.ask("POST", "/admin/clients", body={"_id": "typed", "nickname": "X", name: value})

    assert refusal(reply)[0] == 400
    assert site.put("typed") == before


@pytest.mark.parametrize(("name", "most"), LONGEST.items())
def test_a_text_that_is_too_long(site: Site, name: str, most: int) -> None:
    value = f"https://{'x' * most}" if name == "avatarUrl" else "x" * (most + 1)
    reply = site.ask("POST", "/admin/clients", body={"_id": "long", name: value})

    assert refusal(reply) == (400, 400, "INVALID_BODY")


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b'"x"', b'{"_id":"a","_id":"b"}', b"\xff", b"7"], ids=repr
)
@pytest.mark.parametrize("path", ["/admin/clients", "/admin/clients/list", "/verify"])
def test_a_body_that_is_no_object(site: Site, path: str, body: bytes) -> None:
    assert refusal(site.ask("POST", path, body=body)) == (400, 400, "INVALID_BODY")


def test_many_clients_at_once(site: Site) -> None:
    data = [{"_id": f"many-{number}", "nickname": f"N{number}"} for number in range(100)]
    reply = site.ask("POST", "/admin/clients/list", body={"data": data})
    found = listed(site, {"_id": {"$regex": "^many-"}}, limit=100)

    assert reply.json == {"RC": 0, "RM": "OK", "result": {"count": 100}}
    assert found["totalCount"] == 100
    assert found["data"][0]["nickname"].startswith("N")


@pytest.mark.parametrize(
    "data",
    [None, {}, [], "a", [1], [{}], [{"_id": f"n{n}"} for n in range(101)], [{"_id": ""}]],
    ids=lambda data: repr(data)[:30],
)
def test_a_list_with_a_bad_row_makes_nobody(site: Site, data: Any) -> None:
    data = [{"_id": "row-good"}, *data] if isinstance(data, list) and len(data) == 1 else data
    reply = site.ask("POST", "/admin/clients/list", body={"data": data})

    assert refusal(reply)[0] == 400
    assert listed(site, {"_id": "row-good"})["totalCount"] == 0


def test_of_a_client_that_is_there_twice_the_last_counts(site: Site) -> None:
    data = [{"_id": "twice", "nickname": "first"}, {"_id": "twice", "nickname": "last"}]
    reply = site.ask("POST", "/admin/clients/list", body={"data": data})

    assert reply.json["result"]["count"] == 1
    assert listed(site, {"_id": "twice"})["data"][0]["nickname"] == "last"


def listed(site: Site, wanted: Any, **page: int) -> Any:
    q = wanted if isinstance(wanted, str) else json.dumps(wanted)
    more = "".join(f"&{name}={value}" for name, value in page.items())
    reply = site.ask("GET", f"/admin/clients?q={quote(q)}{more}")
    assert reply.status == 200, reply.json
    return reply.json["result"]


def test_listing_by_every_filter(site: Site) -> None:
    site.put("f-one", nickname="Fil One", email="one@f.example")
    site.put("f-two", nickname="fil two", email="two@f.example")

    def ids(wanted: Any) -> list[str]:
        return [one["_id"] for one in listed(site, wanted)["data"]]

    assert ids({"_id": "f-one"}) == ids({"id": "f-one"}) == ["f-one"]
    assert ids({"_id": {"$in": ["f-two", "f-one", "nobody"]}}) == ["f-one", "f-two"]
    assert ids({"nickname": {"$regex": "^fil"}}) == ["f-two"]
    assert ids({"nickname": {"$regex": "^fil", "$options": "i"}}) == ["f-one", "f-two"]
    assert ids({"email": "two@f.example", "_id": "f-two"}) == ["f-two"]
    assert ids({"email": "two@f.example", "_id": "f-one"}) == []
    assert ids({"email": {"$regex": r"one@f\.example"}}) == ["f-one"]


@pytest.mark.parametrize(
    "wanted",
    [
        "{", "[]", "7", '{"a":1}', {"_id": 7}, {"_id": {"$gt": "a"}}, {"$where": "1"},
        {"_id": {"$in": "a"}}, {"_id": {"$in": [1]}}, {"_id": {"$in": ["x"] * 101}},
        {"nickname": {"$regex": "a.*"}}, {"nickname": {"$regex": "a", "$options": "x"}},
        {"nickname": {"$regex": "(a"}}, {"nickname": {"$regex": ""}}, {"_id": "a\0"},
        {"_id": "x" * 9000},
    ],
    ids=lambda wanted: repr(wanted)[:40],
)  # fmt: skip
def test_a_filter_that_is_not_served_is_refused(site: Site, wanted: Any) -> None:
    q = quote(wanted if isinstance(wanted, str) else json.dumps(wanted))

    if len(q) < 8000:  # above, the server in front refuses the line
        assert refusal(site.ask("GET", f"/admin/clients?q={q}")) == (400, 400, "INVALID_REQUEST")


@pytest.mark.parametrize("page", ["limit=0", "limit=101", "limit=a", "skip=-1", "limit=٣", "skip="])
def test_a_page_that_there_is_not(site: Site, page: str) -> None:
    reply = site.ask("GET", f"/admin/clients?{quote(page, safe='=')}")

    assert refusal(reply)[0] == 400


def test_pages(site: Site) -> None:
    for number in range(5):
        site.put(f"page-{number}")

    wanted = {"_id": {"$regex": "^page-"}}
    pages = [listed(site, wanted, limit=2, skip=skip) for skip in (0, 2, 4, 6)]

    assert [page["totalCount"] for page in pages] == [5] * 4
    assert [one["_id"] for page in pages for one in page["data"]] == [
        f"page-{number}" for number in range(5)
    ]


def test_a_client_sees_and_changes_itself(site: Site) -> None:
    token = site.token("self", nickname="Me")
    changed = site.acting(token, "POST", "/me", body={"nickname": "I", "_id": "other"})
    shown = site.acting(token, "GET", "/me").json

    assert changed.json == shown
    assert (shown["RC"], shown["RM"]) == (0, "OK")
    assert (shown["result"]["_id"], shown["result"]["nickname"]) == ("self", "I")
    assert shown["result"]["lastLoginTimeMS"] > 1_700_000_000_000


def test_a_client_cannot_give_itself_a_token(site: Site) -> None:
    token = site.token("no-token")
    body = {"token": "chosen-by-itself", "expirationDate": moment(days=1)}
    site.acting(token, "POST", "/me", body=body)

    assert refusal(site.acting("chosen-by-itself", "GET", "/me")) == (401, 401, "INVALID_TOKEN")


def test_a_platform_caller_names_the_client(site: Site) -> None:
    site.put("named", nickname="N")

    assert site.ask("GET", "/me", "IM-CLIENT-ID: named").json["result"]["nickname"] == "N"
    assert refusal(site.ask("GET", "/me")) == (400, 400, "MISSING_PARAMETER")
    nobody = site.ask("GET", "/me", "IM-CLIENT-ID: nobody")
    assert refusal(nobody) == (404, 404, "CLIENT_NOT_FOUND")


def test_a_client_is_itself_whatever_it_says(site: Site) -> None:
    site.put("victim", nickname="V")
    shown = site.acting(site.token("honest"), "GET", "/me", "IM-CLIENT-ID: victim")

    assert shown.json["result"]["_id"] == "honest"


def test_an_answer_with_a_token_is_kept_by_nobody(site: Site) -> None:
    reply = site.ask("POST", "/admin/clients", body={"_id": "cached", "issueAccessToken": True})

    assert reply.header("Cache-Control") == "no-store"
