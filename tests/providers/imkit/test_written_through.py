"""What is changed here is changed at the IMKit server, or nowhere."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chatproxy.identity.records import DEFAULT_APP
from tests.calls import Reply
from tests.canaries import IMKIT_KEY
from tests.directories import beside
from tests.providers.imkit.conftest import Site, before_it, moment
from tests.providers.imkit.refusals import refusal
from tests.upstream import IMKitUpstream

CLIENTS = "/admin/clients"
TOKENS = "/admin/clients/*/token"
#: Faults that come before the deed, and those that come after it.
BEFORE = ["status=500", "status=503", "status=401", "status=400", "status=200"]
AFTER = ["reset", "never"]


@pytest.fixture(scope="module")
def behind(server: IMKitUpstream, imkit_before: Callable[..., Any]) -> Iterator[Site]:
    with imkit_before(**before_it(server.url), UPSTREAM_READ_TIMEOUT="0.5") as site:
        yield site


@pytest.fixture(autouse=True)
def _forget_faults(server: IMKitUpstream) -> None:
    server.faults.clear()


def owner(server: IMKitUpstream, token: str) -> str | None:
    with server.lock:
        return server.tokens.get(token, (None, 0))[0]


def known(server: IMKitUpstream, client_id: str) -> Any:
    with server.lock:
        return dict(server.clients.get(client_id, {}))


def test_a_new_client_and_its_token_are_there(behind: Site, server: IMKitUpstream) -> None:
    made = behind.put("ann", nickname="Ann", description="d", issueAccessToken=True)

    assert owner(server, made["token"]) == "ann"
    assert known(server, "ann")["nickname"] == "Ann"
    (arrived,) = server.journal
    assert arrived.values("im-api-key") == [IMKIT_KEY]


def test_a_customers_own_token_is_there_with_its_end(behind: Site, server: IMKitUpstream) -> None:
    behind.put("own", token="own-there", expirationDate="2030-01-31T12:00:00.250Z")

    with server.lock:
        assert server.tokens["own-there"] == ("own", 1896091200.25)


def test_a_put_token_makes_the_client_there_too(behind: Site, server: IMKitUpstream) -> None:
    """It may have come to the directory by another provider's surface."""
    behind.put("late")
    with server.lock:
        del server.clients["late"]

    assert behind.bind("late", "late-token").status == 200
    assert owner(server, "late-token") == "late"


def test_a_token_made_anew_ends_the_one_before_there_too(
    behind: Site, server: IMKitUpstream
) -> None:
    first = behind.token("renew")
    behind.bind("renew", "renew-own")
    second = behind.token("renew")

    assert owner(server, first) is None
    assert [owner(server, one) for one in ("renew-own", second)] == ["renew", "renew"]


def test_ended_tokens_are_ended_there(behind: Site, server: IMKitUpstream) -> None:
    token = behind.token("ends")
    behind.bind("ends", "ends-own")
    behind.unbind("ends", {"token": "ends-own"})
    assert (owner(server, "ends-own"), owner(server, token)) == (None, "ends")

    behind.unbind("ends")
    assert owner(server, token) is None


def test_a_list_and_a_clients_own_change_are_there(behind: Site, server: IMKitUpstream) -> None:
    data = [{"_id": "l1", "nickname": "L1"}, {"_id": "l2", "avatarUrl": "https://x.example/p"}]
    behind.ask("POST", f"{CLIENTS}/list", body={"data": data})
    token = behind.token("l1")
    behind.acting(token, "POST", "/me", body={"nickname": "changed"})

    assert known(server, "l1")["nickname"] == "changed"
    assert known(server, "l2")["avatarUrl"] == "https://x.example/p"


def failed(reply: Reply) -> None:
    assert refusal(reply) == (502, 502, "BAD_GATEWAY")
    assert "Nothing was changed" in reply.json["RM"]


@pytest.mark.parametrize("fault", BEFORE + AFTER)
def test_a_new_token_that_the_server_does_not_confirm_is_nowhere(
    behind: Site, server: IMKitUpstream, fault: str
) -> None:
    behind.put("fails", nickname="before")
    server.faults.next(fault, path=CLIENTS, method="POST")
    token = f"fails-{fault}"
    body = {"_id": "fails", "nickname": "after", "token": token}
    failed(behind.ask("POST", CLIENTS, body=body | {"expirationDate": moment(hours=1)}))

    assert refusal(behind.acting(token, "GET", "/me"))[0] == 401
    assert behind.ask("GET", "/me", "IM-CLIENT-ID: fails").json["result"]["nickname"] == "before"
    assert owner(server, token) is None


@pytest.mark.parametrize("fault", BEFORE)
def test_a_client_that_the_server_refuses_is_nowhere(
    behind: Site, server: IMKitUpstream, fault: str
) -> None:
    client_id = f"refused-{fault}"
    server.faults.next(fault, path=CLIENTS, method="POST")
    failed(behind.ask("POST", CLIENTS, body={"_id": client_id}))

    assert behind.ask("GET", "/me", f"IM-CLIENT-ID: {client_id}").status == 404
    assert known(server, client_id) == {}


@pytest.mark.parametrize("fault", BEFORE)
def test_a_token_whose_end_fails_goes_on(behind: Site, server: IMKitUpstream, fault: str) -> None:
    token = behind.token("goes-on")
    server.faults.next(fault, path=TOKENS, method="DELETE")
    failed(behind.unbind("goes-on"))

    reply = behind.acting(token, "GET", "/rooms")
    assert reply.status == 200, reply.json


def test_an_end_whose_answer_was_lost_can_be_asked_for_again(
    behind: Site, server: IMKitUpstream
) -> None:
    behind.put("again", token="again-token", expirationDate=moment(hours=1))
    server.faults.next("reset", path=TOKENS, method="DELETE")
    failed(behind.unbind("again", {"token": "again-token"}))
    repeated = behind.unbind("again", {"token": "again-token"})

    assert (repeated.status, repeated.json["result"]["revokedTokens"]) == (200, 1)
    assert refusal(behind.verify("again-token"))[0] == 401


@pytest.mark.parametrize("fault", BEFORE)
def test_a_renewal_that_fails_half_way_leaves_the_token_before(
    behind: Site, server: IMKitUpstream, fault: str
) -> None:
    first = behind.token("half")
    server.faults.next(fault, path=TOKENS, method="DELETE")
    failed(behind.ask("POST", CLIENTS, body={"_id": "half", "issueAccessToken": True}))

    assert behind.acting(first, "GET", "/rooms").status == 200
    with server.lock:
        assert [token for token, (who, _) in server.tokens.items() if who == "half"] == [first]


@pytest.mark.parametrize("fault", BEFORE)
def test_a_list_that_the_server_refuses_makes_nobody(
    behind: Site, server: IMKitUpstream, fault: str
) -> None:
    server.faults.next(fault, path=f"{CLIENTS}/list", method="POST")
    failed(behind.ask("POST", f"{CLIENTS}/list", body={"data": [{"_id": f"row-{fault}"}]}))

    assert behind.ask("GET", "/me", f"IM-CLIENT-ID: row-{fault}").status == 404


def test_a_conflict_at_the_server_is_a_conflict(behind: Site, server: IMKitUpstream) -> None:
    body = {"_id": "first", "token": "there-first", "expirationDate": moment(hours=1)}
    assert behind.bare("POST", "/proxy/admin/clients", body=body).status == 200
    assert owner(server, "there-first") == "first"
    behind.put("second")

    assert refusal(behind.bind("second", "there-first")) == (409, 409, "TOKEN_CONFLICT")
    assert owner(server, "there-first") == "first"
    assert refusal(behind.verify("there-first"))[0] == 401


def test_a_token_of_the_same_client_is_not_taken_back_by_a_failure(
    behind: Site, server: IMKitUpstream
) -> None:
    behind.put("same", token="same-token", expirationDate=moment(hours=1))
    server.faults.next("status=500", path=CLIENTS, method="POST")
    failed(behind.bind("same", "same-token", moment(hours=2)))

    assert behind.acting("same-token", "GET", "/rooms").status == 200


def test_a_token_that_was_bound_meanwhile_is_not_taken_back(
    behind: Site, server: IMKitUpstream
) -> None:
    """The first of two equal requests fails after the second one was answered."""
    body = {"_id": "twice", "token": "twice-token", "expirationDate": moment(hours=1)}
    server.faults.next("never", path=CLIENTS, method="POST")

    with ThreadPoolExecutor() as pool:
        first = pool.submit(behind.ask, "POST", CLIENTS, body=body)

        while server.faults.pending():
            time.sleep(0.01)

        assert behind.ask("POST", CLIENTS, body=body).status == 200
        failed(first.result())

    assert behind.acting("twice-token", "GET", "/rooms").status == 200
    assert owner(server, "twice-token") == "twice"


def test_a_client_that_is_deleted_during_its_own_change_is_not_found(
    behind: Site, server: IMKitUpstream
) -> None:
    token = behind.token("deleted")
    server.faults.next("slow=0.4", path=CLIENTS, method="POST")

    with ThreadPoolExecutor() as pool, beside(behind.sidecar.environ) as directory:
        change = pool.submit(behind.acting, token, "POST", "/me", body={"nickname": "late"})

        while server.faults.pending():
            time.sleep(0.01)

        assert directory.users.delete(DEFAULT_APP, "deleted")
        assert refusal(change.result())[:2] == (404, 404)


def test_what_could_not_be_taken_back_is_logged_without_the_token(
    behind: Site, server: IMKitUpstream
) -> None:
    server.faults.next("reset", path=CLIENTS, method="POST")
    server.faults.next("status=500", path=TOKENS, method="DELETE")
    failed(behind.ask("POST", CLIENTS, body={"_id": "stuck", "token": "stuck-token-of-somebody"}))

    lines = [line for line in behind.sidecar.lines() if "taken back" in line["msg"]]
    assert lines
    assert "stuck-token-of-somebody" not in behind.sidecar.output.read_text()


def test_a_redirect_is_no_confirmation(behind: Site, server: IMKitUpstream) -> None:
    server.faults.next("redirect=http://elsewhere.invalid/x", path=CLIENTS, method="POST")

    failed(behind.ask("POST", CLIENTS, body={"_id": "moved"}))


def test_what_the_directory_would_refuse_is_told_to_nobody(
    behind: Site, server: IMKitUpstream
) -> None:
    token = behind.token("large")
    server.journal.clear()
    body = {"_id": "large", "issueAccessToken": True}
    texts = {"description": "😀" * 8192, "publicKey": "😀" * 8192}

    assert refusal(behind.ask("POST", CLIENTS, body=body | texts))[0] == 400
    assert len(list(server.journal)) == 0
    assert behind.acting(token, "GET", "/rooms").status == 200


def test_an_old_token_whose_end_was_not_confirmed_is_bound_again(
    behind: Site, server: IMKitUpstream
) -> None:
    first = behind.token("lost")
    server.faults.next("reset", path=TOKENS, method="DELETE")
    failed(behind.ask("POST", CLIENTS, body={"_id": "lost", "issueAccessToken": True}))

    assert behind.acting(first, "GET", "/rooms").status == 200
    with server.lock:
        assert [token for token, (who, _) in server.tokens.items() if who == "lost"] == [first]
