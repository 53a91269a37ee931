"""Header fields on their way: what goes, what stays, in which order."""

import re

import pytest

from chatproxy.forwarding import headers
from chatproxy.forwarding.headers import NOTHING, Fields, of_request
from chatproxy.forwarding.plan import Plan

OURS = [("Authorization", "ours"), ("stream-auth-type", "jwt")]
RESERVED = frozenset({"api_key", "authorization", "stream_auth_type"})


PLAN = Plan(RESERVED, NOTHING)


def outgoing(*received: tuple[str, str]) -> Fields:
    return headers.outgoing([*received], PLAN.in_request, None, "up.example", OURS)


def answered(*received: tuple[str, str]) -> Fields:
    return headers.answered([*received], PLAN.in_answer)[0]


def sent(*received: tuple[str, str]) -> Fields:
    return outgoing(*received, ("Accept-Encoding", "gzip"))


def rest(*received: tuple[str, str]) -> list[tuple[str, str]]:
    """What is left of the caller's fields."""
    return sent(*received)[1:-3]


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Keep-Alive",
        "Proxy-Authenticate",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Host",
        "Content-Length",
        "Expect",
        "Cookie",
        "Cookie2",
        "Forwarded",
        "Via",
        "Proxy",
        "X-Original-Url",
        "X-Original-Host",
        "X-Rewrite-Url",
        "X-Forwarded",
        "X-Api-Key",
        "X-Http-Method",
        "X-Http-Method-Override",
        "X-Method-Override",
        "Client-Type",
        "Clienttype",
        "Isbackoffice",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Real-Ip",
        "Miauserid",
        "Miauserproperties",
        "Authorization",
        "Stream-Auth-Type",
        "Api-Key",
    ],
)
def test_a_field_that_is_not_the_providers_to_see_is_dropped(name: str) -> None:
    assert rest((name, "x")) == []


@pytest.mark.parametrize(
    "name",
    ["Content-Type", "Accept", "User-Agent", "X-Stream-Client", "X-Client-Request-Id", "Range"],
)
def test_an_end_to_end_field_stays(name: str) -> None:
    assert rest((name, "x")) == [(name, "x")]


def test_what_connection_names_is_dropped_but_never_ours() -> None:
    fields = sent(("Connection", "X-Mine, authorization,stream-auth-type"), ("X-Mine", "1"))

    assert fields == [("Host", "up.example"), ("Accept-Encoding", "gzip"), *OURS]


def test_without_accept_encoding_no_coding_is_asked_for() -> None:
    assert ("Accept-Encoding", "identity") in outgoing()


def test_nor_where_connection_has_taken_it_away() -> None:
    fields = outgoing(("Connection", "accept-encoding"), ("Accept-Encoding", "gzip"))

    assert fields == [("Host", "up.example"), ("Accept-Encoding", "identity"), *OURS]


def test_nor_where_it_held_a_key() -> None:
    received, keys = [("Accept-Encoding", "gzip;q=sk_1")], re.compile("sk_1")
    fields = headers.outgoing(received, PLAN.in_request, keys, "up.example", OURS)

    assert fields == [("Host", "up.example"), ("Accept-Encoding", "identity"), *OURS]


def test_an_answer_keeps_case_order_and_repetition() -> None:
    fields = [("X-b", "1"), ("x-A", "2"), ("X-b", "3"), ("Content-Length", "4")]

    assert answered(*fields) == fields


@pytest.mark.parametrize(
    "name",
    [
        *("Connection", "Transfer-Encoding", "Set-Cookie", "Upgrade", "X-Named"),
        *("Set-Cookie2", "Alt-Svc", "Clear-Site-Data", "NEL", "Report-To"),
        *("Service-Worker-Allowed", "Strict-Transport-Security", "X-Content-Type-Options"),
    ],
)
def test_an_answer_loses_what_concerns_one_connection_or_all_of_our_host(name: str) -> None:
    assert answered(("connection", "x-named"), (name, "x")) == []


def test_fields_of_a_request_get_their_canonical_names() -> None:
    environ = {
        "CONTENT_TYPE": "text/plain",
        "HTTP_X_STREAM_CLIENT": "a",
        "REQUEST_METHOD": "GET",
        "wsgi.input": None,
    }

    assert of_request(environ) == [("Content-Type", "text/plain"), ("X-Stream-Client", "a")]


def test_no_page_of_another_origin_is_let_in_by_the_provider() -> None:
    received = [
        ("Content-Type", "text/plain"),
        ("Access-Control-Allow-Origin", "*"),
        ("access-control-allow-credentials", "true"),
    ]

    assert answered(*received) == [("Content-Type", "text/plain")]
