"""`/imkit/badge`: its four calls, and what they refuse."""

import itertools
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.calls import Reply, segment
from tests.providers.imkit.conftest import Site

NEW = {"total": 0, "badge": 0, "imkit": 0}
MOST_ASKED = 500
LARGEST = 10**9

IDS = {
    "plain": "alice",
    "slash": "org/alice",
    "slashes at the ends": "/alice/",
    "only a slash": "/",
    "encoded slash": "org%2Falice",
    "dots": "...",
    "dots within": "john..doe",
    "question mark": "a?clientId=b#c",
    "plus and space": "a+b c",
    "quotes": "a'\"\\b",
    "control characters": "a\n\t\x7fb",
    "Cyrillic": "Алиса",
    "Arabic digits": "٣٤",
    "emoji": "\U0001f469‍\U0001f4bb",
    "combining accent": "e\u0301",
    "composed accent": "\u00e9",
    "upper case": "ALICE",
    "a word of the object": "total",
    "255 characters": "x" * 255,
    "255 emoji": "\U0001f600" * 255,
}

#: Ids as a path or a query writes them.
BAD_IN_TARGET = {
    "256 characters": "x" * 256,
    "300 characters": "x" * 300,
    "300 emoji": segment("\U0001f600" * 300),
    "8,000 characters": "x" * 8000,
    "NUL": "a%00b",
    "Latin-1": "zo%EB",
    "half a surrogate pair": "%ED%A0%80",
    "cut emoji": "%F0%9F%98",
}

#: Two servers could read a path differently that holds one of these, so no path may.
DOT_SEGMENTS = [".", "..", "a/../b", "..;x"]

BAD_IN_BODY: dict[str, Any] = {
    "empty": "",
    "null": None,
    "number": 7,
    "true": True,
    "array": ["a"],
    "object": {"clientId": "a"},
    "256 characters": "x" * 256,
    "300 emoji": "\U0001f600" * 300,
    "NUL": "a\0b",
    "half a surrogate pair": "\ud83d",
}

NO_ARRAYS: dict[str, bytes] = {
    "nothing": b"",
    "object": b'{"clientId": "a"}',
    "text": b'"a"',
    "number": b"7",
    "null": b"null",
    "true": b"true",
    "half of one": b'["a"',
    "two": b'["a"]["b"]',
    "form": b"clientId=a",
    "UTF-16": '["a"]'.encode("utf-16"),
    "Latin-1": b'["zo\xeb"]',
    "NaN": b"[NaN]",
    "deep": b"[" * 5000 + b"]" * 5000,
}

SOURCES = ["a", "Z", "0", "7up", "a.b", "a_b", "orders:new", "a-b", "x" * 64, "Badge", "totals"]

BAD_SOURCES: dict[str, Any] = {
    "empty": "",
    "null": None,
    "number": 7,
    "true": True,
    "array": ["orders"],
    "object": {"name": "orders"},
    "65 characters": "x" * 65,
    "10,000 characters": "x" * 10_000,
    "space": "a b",
    "space in front": " a",
    "line end behind": "a\n",
    "underscore in front": "_a",
    "slash": "a/b",
    "dot in front": ".a",
    "colon in front": ":a",
    "hyphen in front": "-a",
    "accent": "zoë",
    "Cyrillic that looks Latin": "\u0430",
    "Arabic digit": "٣",
    "emoji": "\U0001f600",
    "NUL": "a\0",
    "half a surrogate pair": "\ud83d",
    "clientId": "clientId",
    "clientid": "clientid",
    "CLIENTID": "CLIENTID",
    "total": "total",
    "Total": "Total",
    "TOTAL": "TOTAL",
    "__proto__": "__proto__",
    "constructor": "constructor",
    "prototype": "prototype",
}

#: JSON texts, and the count that each stands for.
COUNTS = {
    "0": 0,
    "-0": 0,
    "-0.0": 0,
    "null": 0,
    "false": 0,
    '""': 0,
    "1": 1,
    "5.0": 5,
    "1e3": 1000,
    '"0"': 0,
    '"7"': 7,
    '"007"': 7,
    "1000000000": LARGEST,
    "1e9": LARGEST,
    '"1000000000"': LARGEST,
}

BAD_COUNTS = [
    *("-1", "-1.0", "0.5", "1000000000.5", "1000000001", "1e10", "1e308", "9" * 400, "9" * 5000),
    *("true", "[]", "{}", "[1]", '{"count": 1}', "NaN", "Infinity", "1e999", "01", "+1", "0x10"),
    *('"-1"', '"+1"', '"1.0"', '"1e3"', '"0x10"', '"1_000"', '" 1"', '"1 "', '"1\\n"', '"abc"'),
    *('"12 apples"', '"true"', '"null"', '"٣"', '"１"', '"²"', '"1\\u0000"', '"\\ud83d"'),
    *('"1000000001"', f'"{"9" * 20}"', f'"{"9" * 5000}"', f'"{"0" * 5000}"'),
]

OTHER_METHODS = ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]

numbers = itertools.count()


@pytest.fixture
def client_id() -> str:
    """A client whom nobody else has named."""
    return f"client-{next(numbers)}"


def place(client_id: str) -> str:
    return f"/badge/{segment(client_id)}"


def shown(client_id: str, **counts: int) -> dict[str, Any]:
    return {"clientId": client_id} | NEW | counts | {"total": sum(counts.values())}


def set_count(site: Site, client_id: str, text: str, source: str = "orders") -> Reply:
    """Set a count, written as the JSON text says."""
    body = b'{"source": "%s", "count": %s}' % (source.encode(), text.encode())
    return site.bare("POST", place(client_id), body=body)


def asked_for(site: Site, ids: list[str]) -> Reply:
    query = "&".join(f"clientId={quote(one, safe='')}" for one in ids)
    return site.bare("GET", f"/badge?{query}")


def check_refused(reply: Reply, status: int = 400, *codes: str) -> None:
    """Check IMKit's error shape: the status twice over, and a code."""
    found = reply.json
    assert (reply.status, found["RC"]) == (status, status), found
    assert sorted(found) == ["RC", "RM", "error"]
    assert found["error"]["message"] == found["RM"]
    assert found["error"]["code"] in (codes or ("INVALID_BODY", "INVALID_REQUEST"))


def test_whoever_is_unknown_has_zeros_and_is_not_made(site: Site, client_id: str) -> None:
    reply = site.bare("GET", place(client_id))

    assert (reply.status, reply.json) == (200, {"clientId": client_id} | NEW)
    assert list(reply.json) == ["clientId", "total", "badge", "imkit"]
    assert reply.header("Cache-Control") == "no-store"
    assert reply.header("Content-Type") == "application/json"
    assert client_id not in [one["clientId"] for one in site.bare("GET", "/badge").json]


def test_a_count_is_set_not_added(site: Site, client_id: str) -> None:
    for count in (5, 3, 3):
        body = {"source": "orders", "count": count}
        reply = site.bare("POST", place(client_id), body=body)

        assert (reply.status, reply.json) == (200, shown(client_id, orders=count))
        assert reply.header("Cache-Control") == "no-store"

    assert site.bare("GET", place(client_id)).json == shown(client_id, orders=3)


def test_every_source_counts_under_its_own_spelling(site: Site, client_id: str) -> None:
    counts = {"badge": 1, "imkit": 2, "Orders": 30, "orders": 400}

    for source, count in counts.items():
        site.bare("POST", place(client_id), body={"source": source, "count": count})

    found = site.bare("GET", place(client_id)).json
    assert found == {"clientId": client_id, "total": 433} | counts


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_may_be(site: Site, client_id: str, source: str) -> None:
    reply = site.bare("POST", place(client_id), body={"source": source, "count": 1})

    assert (reply.status, reply.json) == (200, shown(client_id, **{source: 1}))


@pytest.mark.parametrize("source", BAD_SOURCES.values(), ids=BAD_SOURCES)
def test_a_source_may_not_be(site: Site, client_id: str, source: Any) -> None:
    body = {"source": source, "count": 1}

    check_refused(site.bare("POST", place(client_id), body=body), 400, "INVALID_BODY")
    assert site.bare("GET", place(client_id)).json == {"clientId": client_id} | NEW


def test_a_source_is_needed(site: Site, client_id: str) -> None:
    reply = site.bare("POST", place(client_id), body={"count": 1, "Source": "orders"})

    check_refused(reply, 400, "MISSING_PARAMETER")


@pytest.mark.parametrize(("text", "count"), COUNTS.items())
def test_a_count_may_be(site: Site, client_id: str, text: str, count: int) -> None:
    set_count(site, client_id, "9")
    reply = set_count(site, client_id, text)

    assert (reply.status, reply.json) == (200, shown(client_id, orders=count))
    assert isinstance(reply.json["orders"], int)


def test_a_count_that_lacks_is_0(site: Site, client_id: str) -> None:
    set_count(site, client_id, "9")
    reply = site.bare("POST", place(client_id), body={"source": "orders", "Count": 4})

    assert reply.json == shown(client_id, orders=0)


@pytest.mark.parametrize("text", BAD_COUNTS, ids=lambda text: ascii(text[:12]))
def test_a_count_may_not_be(site: Site, client_id: str, text: str) -> None:
    set_count(site, client_id, "9")

    check_refused(set_count(site, client_id, text), 400, "INVALID_BODY")
    assert site.bare("GET", place(client_id)).json == shown(client_id, orders=9)


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b'"orders"', b"7", b"{", b'{"source": "orders"', b"source=orders"),
        b'{"source": "orders", "source": "visits"}',
        b'{"source": "orders", "count": 1, "count": 2}',
        b'{"source": "orders", "count": 1} x',
        b'[{"source": "orders"}]',
        '{"source": "orders"}'.encode("utf-16"),
    ],
    ids=ascii,
)
def test_a_change_is_an_object(site: Site, client_id: str, body: bytes) -> None:
    fields = () if body else ("Content-Length: 0",)

    check_refused(site.bare("POST", place(client_id), *fields, body=body or None))
    assert site.bare("GET", place(client_id)).json == {"clientId": client_id} | NEW


def test_more_than_100_sources_are_refused(site: Site, client_id: str) -> None:
    for number in range(98):
        body = {"source": f"s{number}", "count": 1}
        assert site.bare("POST", place(client_id), body=body).status == 200

    check_refused(set_count(site, client_id, "1", "one-more"), 400, "INVALID_BODY")
    assert set_count(site, client_id, "2", "s7").json["total"] == 99


@pytest.mark.parametrize("client_id", IDS.values(), ids=IDS)
def test_a_client_may_be_named(site: Site, client_id: str) -> None:
    """By the path, by the query and in a body: it is the same one."""
    changed = set_count(site, client_id, "3")
    by_path = site.bare("GET", place(client_id))

    assert (changed.status, changed.json) == (200, shown(client_id, orders=3))
    assert (by_path.status, by_path.json) == (200, shown(client_id, orders=3))
    assert site.bare("POST", "/badge", body=[client_id]).json == [by_path.json]
    assert asked_for(site, [client_id]).json == [by_path.json]


@pytest.mark.parametrize("client_id", DOT_SEGMENTS)
def test_an_id_that_no_path_may_hold_is_named_elsewhere(site: Site, client_id: str) -> None:
    check_refused(site.bare("GET", place(client_id)), 400, "INVALID_REQUEST")
    check_refused(set_count(site, client_id, "1"), 400, "INVALID_REQUEST")
    assert asked_for(site, [client_id]).json == [shown(client_id)]
    assert site.bare("POST", "/badge", body=[client_id]).json == [shown(client_id)]


@pytest.mark.parametrize("path", ["/badge/zo\xc3\xab", "/badge?clientId=zo\xc3\xab"])
def test_a_target_is_ascii(site: Site, path: str) -> None:
    """The server in front refuses the rest, in no provider's shape."""
    assert site.bare("GET", path).status == 400


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("text", BAD_IN_TARGET.values(), ids=BAD_IN_TARGET)
def test_a_path_may_not_name(site: Site, method: str, text: str) -> None:
    body = {"source": "orders", "count": 1} if method == "POST" else None

    check_refused(site.bare(method, f"/badge/{text}", body=body), 400, "INVALID_REQUEST")


@pytest.mark.parametrize("text", ["", *BAD_IN_TARGET.values()], ids=["empty", *BAD_IN_TARGET])
def test_a_query_may_not_name(site: Site, client_id: str, text: str) -> None:
    reply = site.bare("GET", f"/badge?clientId={client_id}&clientId={text}")

    check_refused(reply, 400, "INVALID_REQUEST")
    assert client_id not in [one["clientId"] for one in site.bare("GET", "/badge").json]


@pytest.mark.parametrize("item", BAD_IN_BODY.values(), ids=BAD_IN_BODY)
def test_an_array_may_not_hold(site: Site, client_id: str, item: Any) -> None:
    reply = site.bare("POST", "/badge", body=[client_id, item])

    check_refused(reply, 400, "INVALID_BODY")
    assert client_id not in [one["clientId"] for one in site.bare("GET", "/badge").json]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([7] * 50_000, "clientId: Longer than maximum length 500."),
        ([7] * 500, "clientId.0: Expected string"),
        (["a", "b", "", 7], "clientId.2: Too short"),
    ],
    ids=["too many", "first of many", "first of two"],
)
def test_a_bad_array_is_told_by_its_length_or_its_first_fault(
    site: Site, body: list[Any], told: str
) -> None:
    reply = site.bare("POST", "/badge", body=body)

    check_refused(reply, 400, "INVALID_BODY")
    assert reply.json["RM"] == told


def test_an_array_beyond_a_limit_of_json_is_told_which(site: Site) -> None:
    reply = site.bare("POST", "/badge", body=[[]] * 10_001)

    check_refused(reply, 400, "INVALID_BODY")
    assert "10000 objects and lists" in reply.json["RM"]


@pytest.mark.parametrize("body", NO_ARRAYS.values(), ids=NO_ARRAYS)
def test_clients_are_asked_for_by_an_array(site: Site, body: bytes) -> None:
    fields = () if body else ("Content-Length: 0",)
    reply = site.bare("POST", "/badge", *fields, body=body or None)

    check_refused(reply, 400, "INVALID_BODY")
    assert "array" in reply.json["RM"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_an_array_is_answered_in_its_order(site: Site, client_id: str, slash: str) -> None:
    ids = [f"{client_id}-{one}" for one in ("c", "a", "b", "a")]
    set_count(site, ids[1], "4")
    reply = site.bare("POST", f"/badge{slash}", body=ids)

    assert [one["clientId"] for one in reply.json] == ids
    assert [one["total"] for one in reply.json] == [0, 4, 0, 4]
    assert reply.header("Cache-Control") == "no-store"


@pytest.mark.parametrize("slash", ["", "/"])
def test_a_query_is_answered_in_its_order(site: Site, client_id: str, slash: str) -> None:
    ids = [f"{client_id}-{one}" for one in ("c", "a", "b", "a")]
    query = "&".join(f"other=1&clientId={one}" for one in ids)
    reply = site.bare("GET", f"/badge{slash}?{query}")

    assert [one["clientId"] for one in reply.json] == ids
    assert reply.header("Cache-Control") == "no-store"


def test_an_empty_array_is_answered_by_one(site: Site) -> None:
    reply = site.bare("POST", "/badge", body=[])

    assert (reply.status, reply.json) == (200, [])


@pytest.mark.parametrize("query", ["", "?", "?clientid=nobody", "?clientId[]=nobody", "?client=x"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_all_are_listed_by_id(site: Site, client_id: str, slash: str, query: str) -> None:
    for one in "cab":
        set_count(site, f"{client_id}-{one}", "0")

    found = [one["clientId"] for one in site.bare("GET", f"/badge{slash}{query}").json]

    assert [one[-1] for one in found if one.startswith(f"{client_id}-")] == ["a", "b", "c"]
    assert found == sorted(found)
    assert "nobody" not in found


def test_one_call_asks_for_500_at_most(site: Site, client_id: str) -> None:
    most = [f"{client_id}-{number}" for number in range(MOST_ASKED)]
    short = [str(number) for number in range(MOST_ASKED)]

    assert len(site.bare("POST", "/badge", body=most).json) == MOST_ASKED
    assert len(asked_for(site, short).json) == MOST_ASKED
    check_refused(site.bare("POST", "/badge", body=[*most, "x"]), 400, "INVALID_BODY")
    check_refused(site.bare("POST", "/badge", body=most * 20), 400, "INVALID_BODY")
    check_refused(site.bare("POST", "/badge", body=["x"] * 60_000), 400, "INVALID_BODY")
    check_refused(asked_for(site, [*short, "x"]), 400, "INVALID_REQUEST")


@pytest.mark.parametrize("path", ["a/b", "a//", "//", "/a", "a/b/", "a%2Fb/c"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_raw_slash_is_no_part_of_an_id(site: Site, method: str, path: str) -> None:
    body = {"source": "orders", "count": 1} if method == "POST" else None

    check_refused(site.bare(method, f"/badge/{path}", body=body), 404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["%2Fx", "s", "s/x"])
def test_beside_it_nothing_is_made(site: Site, path: str) -> None:
    assert site.bare("GET", f"/badge{path}").status in (401, 404)


def test_one_slash_behind_an_id_is_passed_over(site: Site, client_id: str) -> None:
    set_count(site, client_id, "3")

    assert site.bare("GET", f"{place(client_id)}/").json == shown(client_id, orders=3)


@pytest.mark.parametrize("path", ["", "/", "/alice", "/a%2Fb", "/a/b"])
@pytest.mark.parametrize("method", OTHER_METHODS)
def test_other_methods_are_405(site: Site, method: str, path: str) -> None:
    reply = site.ask(method, f"/badge{path}", body={"source": "orders", "count": 1})

    check_refused(reply, 405, "METHOD_NOT_ALLOWED")
    assert reply.header("Allow") == "GET, POST"


def test_head_is_get_without_its_body(site: Site, client_id: str) -> None:
    reply = site.bare("HEAD", place(client_id))

    assert (reply.status, reply.raw.body) == (200, b"")


def test_credentials_make_no_difference(site: Site, client_id: str) -> None:
    fields = ("IM-API-KEY: wrong", "IM-Authorization: wrong", "Authorization: Bearer wrong")

    assert site.bare("GET", place(client_id), *fields).status == 200


def test_reading_makes_nobody_and_setting_no_more_than_may_be(
    imkit_before: Callable[..., Any],
) -> None:
    """Neither asks for a credential, so neither may fill the directory."""
    with imkit_before(IMKIT_MAX_BADGE_CLIENTS="2") as site:
        for number in range(5):
            site.bare("GET", f"/badge/a{number}")
            asked_for(site, [f"b{number}", f"c{number}"])
            site.bare("POST", "/badge", body=[f"d{number}", f"e{number}"])

        listed = site.bare("GET", "/badge").json
        statuses = [set_count(site, one, "1").status for one in ("alice", "bob", "alice")]
        refused = set_count(site, "carol", "1")
        after = set_count(site, "alice", "4", "another")

        assert listed == []
        assert statuses == [200, 200, 200]
        check_refused(refused, 507, "INSUFFICIENT_STORAGE")
        assert after.json == shown("alice", orders=1, another=4)
        assert site.bare("GET", "/badge/carol").json == {"clientId": "carol"} | NEW
        assert [one["clientId"] for one in site.bare("GET", "/badge").json] == ["alice", "bob"]
