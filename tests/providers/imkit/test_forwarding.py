"""Every other path below `/imkit`, before a strict stand-in for an IMKit server."""

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.calls import call
from tests.canaries import IMKIT_CLIENT_KEY, IMKIT_KEY
from tests.providers.imkit.conftest import Site, before_it, moment
from tests.providers.imkit.refusals import refusal
from tests.sidecar import free_port
from tests.upstream import IMKitUpstream, bytes_sha256

PAYLOAD = b"x" * 300_000
S3 = "Authorization: AWS4-HMAC-SHA256 Credential=AK/20300101/r/s3/aws4_request, Signature=ab"


@pytest.fixture(scope="module")
def behind(server: IMKitUpstream, imkit_before: Callable[..., Any]) -> Iterator[Site]:
    with imkit_before(**before_it(server.url)) as site:
        yield site


@pytest.fixture(scope="module")
def alice(behind: Site) -> str:
    """A token of hers, which both sides know."""
    return behind.token("alice", nickname="Alice")


def test_a_clients_call_goes_out_with_the_real_key_its_token_and_its_id(
    behind: Site, server: IMKitUpstream, alice: str
) -> None:
    reply = behind.acting(alice, "GET", "/rooms?limit=2&x=%2F", "IM-Device-ID: d1")

    assert (reply.status, reply.json["RC"]) == (200, 0)
    (arrived,) = server.journal
    assert arrived.target == "/rooms?limit=2&x=%2F"
    assert arrived.values("im-client-key") == [IMKIT_CLIENT_KEY]
    assert arrived.values("im-authorization") == [alice]
    assert arrived.values("im-client-id") == ["alice"]
    assert arrived.values("im-device-id") == ["d1"]
    assert arrived.values("im-api-key") == []


def test_a_platforms_call_goes_out_with_the_real_key(behind: Site, server: IMKitUpstream) -> None:
    room = {"_id": "room", "name": "R", "roomType": "group", "members": ["alice"]}
    made = behind.ask("POST", "/rooms", body=room)
    said = behind.ask(
        "POST", "/messages",
        body={"room": "room", "sender": "alice", "message": "hi", "messageType": "text"},
    )  # fmt: skip
    count = behind.ask("GET", "/admin/connection-count")

    assert [made.status, said.status, count.status] == [200, 200, 200]
    assert [one.values("im-api-key") for one in server.journal] == [[IMKIT_KEY]] * 3
    assert all(one.values("im-client-key") == [] for one in server.journal)


def test_a_client_is_never_whom_it_says_it_is(
    behind: Site, server: IMKitUpstream, alice: str
) -> None:
    behind.put("mallory")
    fields = ("IM-CLIENT-ID: mallory", "IM-Client-Id: mallory", "im-client-id: x")
    reply = behind.acting(alice, "GET", "/rooms", *fields)

    assert reply.status == 200
    assert list(server.journal)[-1].values("im-client-id") == ["alice"]


@pytest.mark.parametrize(
    "named",
    ["im-client-id", "IM-Authorization", "im-client-key, im-client-id", "IM_CLIENT_ID"],
)
def test_a_connection_field_removes_none_of_them(
    behind: Site, server: IMKitUpstream, alice: str, named: str
) -> None:
    behind.acting(alice, "GET", "/rooms", f"Connection: {named}")

    (arrived,) = server.journal
    assert arrived.values("im-client-id") == ["alice"]
    assert arrived.values("im-client-key") == [IMKIT_CLIENT_KEY]
    assert arrived.values("im-authorization") == [alice]


def test_the_query_holds_no_credential(behind: Site, server: IMKitUpstream, alice: str) -> None:
    query = "a=1&IM-API-KEY=k&im_client_id=mallory&CLIENT_KEY=c&im%2Dauthorization=t&b=2"
    behind.acting(alice, "GET", f"/rooms?{query}")

    (arrived,) = server.journal
    assert arrived.target == "/rooms?a=1&b=2"


def test_deprecated_names_go_out_as_todays(behind: Site, server: IMKitUpstream, alice: str) -> None:
    fields = (f"CLIENT_KEY: {behind.client_key}", f"Authorization: Bearer {alice}")
    client = behind.bare("GET", "/rooms", *fields)
    platform = behind.bare("GET", "/rooms", f"API_KEY: {behind.api_key}")

    assert (client.status, platform.status) == (200, 200)
    of_client, of_platform = server.journal
    assert of_client.values("im-authorization") == [alice]
    assert of_client.values("authorization") == []
    assert of_platform.values("im-api-key") == [IMKIT_KEY]


def test_somebody_elses_authorization_is_left_as_it_is(
    behind: Site, server: IMKitUpstream, alice: str
) -> None:
    reply = behind.acting(alice, "GET", "/rooms", S3)

    assert reply.status == 200
    (arrived,) = server.journal
    assert arrived.values("authorization") == [S3.removeprefix("Authorization: ")]
    assert arrived.values("im-authorization") == [alice]


@pytest.mark.parametrize(
    "path",
    ["/admin/connection-count", "/Admin/clients/x", "//admin/x", "/%61dmin/x", "/admin;x/y"],
)
def test_platform_calls_are_not_a_clients(
    behind: Site, server: IMKitUpstream, alice: str, path: str
) -> None:
    assert refusal(behind.acting(alice, "GET", path)) == (403, 403, "PERMISSION_DENIED")
    assert len(list(server.journal)) == 0


@pytest.mark.parametrize(
    "path", ["/verify/x", "/badge/a/b", "/Badge/x", "//verify", "/socket.io/x"]
)
def test_what_is_served_here_is_not_forwarded(
    behind: Site, server: IMKitUpstream, path: str
) -> None:
    assert refusal(behind.ask("GET", path))[0] in (400, 404)
    assert len(list(server.journal)) == 0


def test_without_a_good_token_nothing_goes_out(behind: Site, server: IMKitUpstream) -> None:
    assert refusal(behind.acting("junk", "GET", "/rooms")) == (401, 401, "INVALID_TOKEN")
    assert refusal(behind.bare("GET", "/rooms")) == (401, 401, "MISSING_CLIENT_KEY")
    assert len(list(server.journal)) == 0


@pytest.mark.parametrize(
    "path", ["/rooms/../admin", "/rooms/%2e%2e/x", "/rooms/a%00b", "/%72ooms/.."]
)
def test_a_path_with_two_meanings_is_refused(behind: Site, alice: str, path: str) -> None:
    assert refusal(behind.acting(alice, "GET", path))[0] == 400


def test_a_body_goes_through_unchanged_both_ways(
    behind: Site, server: IMKitUpstream, alice: str
) -> None:
    binary = "Content-Type: application/octet-stream"
    behind.acting(alice, "POST", "/_sandbox/echo", binary, body=PAYLOAD)
    reply = behind.acting(alice, "GET", f"/_sandbox/bytes?size={len(PAYLOAD)}")

    assert list(server.journal)[0].body_sha256 == hashlib.sha256(PAYLOAD).hexdigest()
    assert hashlib.sha256(reply.raw.body).hexdigest() == bytes_sha256(len(PAYLOAD))


def test_a_name_in_any_script_arrives_as_utf_8(behind: Site, server: IMKitUpstream) -> None:
    token = behind.token("ユーザー é")
    reply = behind.acting(token, "GET", "/rooms")

    assert reply.status == 200, reply.json
    named = list(server.journal)[-1].values("im-client-id")
    assert [one.encode("latin-1").decode() for one in named] == ["ユーザー é"]


def test_the_proxy_is_open_and_takes_nobodys_keys(behind: Site, server: IMKitUpstream) -> None:
    fields = ("IM-API-KEY: other", "CLIENT_KEY: other", "IM-Client-Key: other")
    reply = behind.bare("GET", "/proxy/admin/clients?limit=1", *fields)

    assert reply.status == 200
    (arrived,) = server.journal
    assert arrived.target == "/admin/clients?limit=1"
    assert arrived.values("im-api-key") == [IMKIT_KEY]
    assert arrived.values("im-client-key") == []


def test_unread_messages_are_told_by_the_server(
    behind: Site, server: IMKitUpstream, alice: str
) -> None:
    reply = behind.acting(alice, "GET", "/me/badge?roomTags=a&roomTags=b")

    assert reply.json["result"] == {"badge": 0}
    (arrived,) = server.journal
    assert arrived.target == "/me/badge?roomTags=a&roomTags=b"
    assert refusal(behind.acting(alice, "GET", "/me/badge?roomTags="))[2] == "INVALID_ROOM_TAGS"


def test_without_a_server_the_badges_are_told(site: Site) -> None:
    token = site.token("counted")
    site.bare("POST", "/badge/counted", body={"source": "mail", "count": 4})
    site.bare("POST", "/badge/counted", body={"source": "imkit", "count": 3})

    assert site.acting(token, "GET", "/me/badge").json["result"] == {"badge": 7}
    tagged = site.acting(token, "GET", "/me/badge?roomTags=a")
    assert refusal(tagged) == (400, 400, "INVALID_ROOM_TAGS")


def test_an_error_of_the_server_is_passed_on(behind: Site, alice: str) -> None:
    reply = behind.acting(alice, "GET", "/rooms/nowhere")

    assert refusal(reply) == (404, 404, "ROOM_NOT_FOUND")


def test_without_a_server_forwarding_is_a_clear_503(site: Site) -> None:
    for reply in (site.ask("GET", "/rooms"), site.acting(site.token("x"), "GET", "/rooms")):
        assert refusal(reply) == (503, 503, "SERVICE_UNAVAILABLE")
        assert "IMKIT_BASE_URL" in reply.json["RM"]


def test_a_server_that_is_away_is_502_and_named(imkit_before: Callable[..., Any]) -> None:
    with imkit_before(**before_it(f"http://127.0.0.1:{free_port()}")) as site:
        reply = site.ask("GET", "/rooms", "X-Request-Id: away")
        line = site.sidecar.wait_for_line(req_id="away")
        check_up = call(site.sidecar.port, "GET", "/-/check-up")

    assert refusal(reply) == (502, 502, "BAD_GATEWAY")
    assert line["brokenBy"] == "upstream"
    assert check_up.status == 503


def test_the_check_up_tells_a_refused_key(
    server: IMKitUpstream, imkit_before: Callable[..., Any]
) -> None:
    settings = before_it(server.url) | {"IMKIT_API_KEY": "wrong-key"}

    with imkit_before(**settings) as site:
        assert call(site.sidecar.port, "GET", "/-/check-up").json["message"] == (
            "imkit: refuses the platform key."
        )
        assert "imkit" in call(site.sidecar.port, "GET", "/-/ready").json["credentials"]


def test_a_websocket_elsewhere_is_refused(behind: Site) -> None:
    fields = ("Upgrade: websocket", "Connection: Upgrade")
    reply = behind.bare("GET", "/rooms", *fields)

    assert refusal(reply) == (501, 501, "NOT_IMPLEMENTED")
    assert "/imkit/socket.io" in reply.json["RM"]


def test_a_token_that_only_the_server_knows_opens_nothing_here(
    behind: Site, server: IMKitUpstream
) -> None:
    body = {"_id": "there", "token": "only-there", "expirationDate": moment(hours=1)}
    assert behind.bare("POST", "/proxy/admin/clients", body=body).status == 200

    assert refusal(behind.acting("only-there", "GET", "/rooms")) == (401, 401, "INVALID_TOKEN")
