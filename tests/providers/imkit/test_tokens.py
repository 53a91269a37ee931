"""Tokens: made here, bound, ended, and asked about."""

import datetime
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests import commands
from tests.calls import call
from tests.databases import run_at
from tests.providers.imkit.conftest import Site, moment
from tests.providers.imkit.refusals import refusal
from tests.sidecar import Sidecar, free_port

BAD = (401, 401, "INVALID_TOKEN")


def test_a_token_made_here_lets_its_client_in(site: Site) -> None:
    made = site.put("made", issueAccessToken=True)

    assert site.acting(made["token"], "GET", "/me").json["result"]["_id"] == "made"
    assert site.verify(made["token"]).json == {"id": "made"}
    assert 6.99 < (seconds_of(made["expirationDate"]) - time.time()) / 86400 <= 7


def seconds_of(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()


def test_a_new_token_made_here_ends_the_one_before_and_no_other(site: Site) -> None:
    first = site.token("renewed")
    site.bind("renewed", "own-of-renewed")
    second = site.token("renewed")

    assert refusal(site.acting(first, "GET", "/me")) == BAD
    assert site.acting(second, "GET", "/me").status == 200
    assert site.acting("own-of-renewed", "GET", "/me").status == 200


def test_a_profile_alone_keeps_the_token(site: Site) -> None:
    token = site.token("still")
    site.put("still", nickname="S")

    assert site.verify(token).json == {"id": "still", "nickname": "S"}


def test_a_customers_own_token(site: Site) -> None:
    end = moment(days=2)
    made = site.put("own", nickname="O", token="own-token", expirationDate=end)

    assert (made["token"], made["expirationDate"]) == ("own-token", end)
    assert site.acting("own-token", "GET", "/me").json["result"]["nickname"] == "O"


def test_a_token_without_its_end_has_that_of_one_made_here(site: Site) -> None:
    body = {"token": "without-an-end"}
    made = site.ask("PUT", f"/admin/clients/{site.put('open')['_id']}/token/", body=body).json

    assert made["result"]["client"] == "open"
    assert 6.99 < (seconds_of(made["result"]["expirationDate"]) - time.time()) / 86400 <= 7


def test_putting_a_token_answers_client_and_token(site: Site) -> None:
    site.put("shown", nickname="S")
    end = moment(hours=1)
    result = site.bind("shown", "shown-token", end).json["result"]

    assert result["_id"] == result["client"] == "shown"
    assert (result["token"], result["expirationDate"]) == ("shown-token", end)
    assert result["nickname"] == "S"


def test_the_same_token_again_has_the_new_end(site: Site) -> None:
    site.put("again")
    site.bind("again", "again-token", moment(hours=1))

    assert site.bind("again", "again-token", moment(seconds=0.6)).status == 200
    time.sleep(0.8)
    assert refusal(site.verify("again-token")) == BAD


def test_a_client_that_there_is_not(site: Site) -> None:
    missing = (404, 404, "CLIENT_NOT_FOUND")

    assert refusal(site.bind("nobody", "token-of-nobody")) == missing
    assert refusal(site.unbind("nobody")) == missing
    assert refusal(site.verify("token-of-nobody")) == BAD


def test_a_token_of_another_client_is_a_conflict_and_changes_nothing(site: Site) -> None:
    site.put("owner", token="taken", expirationDate=moment(hours=1))
    site.put("other", nickname="before")
    conflict = (409, 409, "TOKEN_CONFLICT")
    wanted = {"nickname": "after", "token": "taken", "expirationDate": moment(hours=1)}

    assert refusal(site.bind("other", "taken")) == conflict
    assert refusal(site.ask("POST", "/admin/clients", body={"_id": "other", **wanted})) == conflict
    assert refusal(site.ask("POST", "/admin/clients", body={"_id": "new", **wanted})) == conflict
    assert site.put("other")["nickname"] == "before"
    assert site.ask("GET", "/me", "IM-CLIENT-ID: new").status == 404
    assert site.verify("taken").json == {"id": "owner"}


def test_a_token_for_two_clients_at_once_gets_one_of_them(site: Site) -> None:
    clients = ["left", "right"]
    for one in clients:
        site.put(one)

    with ThreadPoolExecutor(8) as threads:
        for turn in range(10):
            token = f"raced-{turn}"
            replies = list(threads.map(lambda one, t=token: site.bind(one, t), clients * 4))
            owner = site.verify(token).json["id"]
            won = {
                one for one, reply in zip(clients * 4, replies, strict=True) if reply.status == 200
            }

            assert won == {owner}
            assert {reply.status for reply in replies} == {200, 409}


def test_ending_one_token_leaves_the_others(site: Site) -> None:
    token = site.token("several")
    site.bind("several", "one-of-several")
    result = site.unbind("several", {"token": "one-of-several"}).json["result"]

    assert result == {"success": True, "message": "Tokens revoked", "revokedTokens": 1}
    assert refusal(site.verify("one-of-several")) == BAD
    assert site.verify(token).status == 200


def test_ending_all_tokens(site: Site) -> None:
    tokens = [site.token("all"), "all-one", "all-two"]
    for token in tokens[1:]:
        site.bind("all", token)

    assert site.unbind("all").json["result"]["revokedTokens"] == 3
    assert {site.verify(token).status for token in tokens} == {401}
    assert site.unbind("all").json["result"]["revokedTokens"] == 0


def test_a_token_of_somebody_else_is_not_found(site: Site) -> None:
    site.put("mine", token="mine-token", expirationDate=moment(hours=1))
    site.put("yours")
    reply = site.unbind("yours", {"token": "mine-token"})

    assert refusal(reply) == (404, 404, "TOKEN_NOT_FOUND")
    assert site.verify("mine-token").status == 200


@pytest.mark.parametrize("token", ["", 7, True, [], "a b", "ä", "a\n", "x" * 4097], ids=repr)
def test_a_text_that_is_no_token(site: Site, token: Any) -> None:
    """An empty one in particular: taken for absent it would end all tokens."""
    kept = site.token("careful")
    end = {"expirationDate": moment(hours=1)}
    created = site.ask("POST", "/admin/clients", body={"_id": "careful", "token": token, **end})
    put = site.ask("PUT", "/admin/clients/careful/token", body={"token": token, **end})
    ended = site.unbind("careful", {"token": token})

    assert {refusal(one) for one in (created, put, ended)} == {(400, 400, "INVALID_BODY")}
    assert site.verify(kept).status == 200


@pytest.mark.parametrize("token", [None, "missing"])
def test_a_token_that_is_not_there(site: Site, token: Any) -> None:
    site.put("lacking")
    body = {"expirationDate": moment(hours=1)} | ({} if token else {"token": None})
    reply = site.ask("PUT", "/admin/clients/lacking/token", body=body)

    assert refusal(reply)[0] == 400
    assert refusal(site.unbind("lacking", {"token": None}))[0] == 400


DATES = [
    "2030-01-31T12:00:00", "2030-01-31", "2030-01-31 12:00:00Z", "tomorrow", "", 1893456000,
    True, [], {}, "2030-13-01T00:00:00Z", "2030-02-30T00:00:00Z", "2030-01-31T24:00:01Z",
    "2030-01-31T12:00:60Z", "٢٠٣٠-01-31T12:00:00Z", "9999-12-31T23:59:59-14:00",
    "1970-01-01T00:00:00Z",
    "2030-01-31T12:00:00+25:00", "+2030-01-31T12:00:00Z", "2030-W05-4T12:00:00Z",
]  # fmt: skip


@pytest.mark.parametrize("date", DATES, ids=repr)
def test_a_date_that_says_no_moment_to_come(site: Site, date: Any) -> None:
    site.put("dated")
    body = {"token": "dated-token", "expirationDate": date}

    assert refusal(site.ask("PUT", "/admin/clients/dated/token", body=body))[:2] == (400, 400)
    assert refusal(site.verify("dated-token")) == BAD


@pytest.mark.parametrize(
    "date",
    ["9999-12-31T23:59:59Z", "2030-01-31T12:00:00+05:30", "2030-01-31t12:00:00.123456789z"],
)
def test_a_date_that_does(site: Site, date: str) -> None:
    site.put("dated")

    assert site.bind("dated", f"dated-{date}", date).status == 200
    assert site.verify(f"dated-{date}").status == 200


@pytest.mark.parametrize(
    "fields",
    [
        {"issueAccessToken": True, "token": "two"},
        {"issueAccessToken": True, "expirationDate": "2030-01-31T12:00:00Z"},
        {"expirationDate": "2030-01-31T12:00:00Z"},
        {"issueAccessToken": "true"},
        {"issueAccessToken": 1},
        {"issueAccessToken": None},
    ],
    ids=repr,
)
def test_fields_that_do_not_go_together(site: Site, fields: dict[str, Any]) -> None:
    reply = site.ask("POST", "/admin/clients", body={"_id": "mixed", **fields})

    assert refusal(reply)[0] == 400
    assert site.ask("GET", "/me", "IM-CLIENT-ID: mixed").status == 404


def test_an_expired_token_is_refused(site: Site) -> None:
    site.put("short")
    site.bind("short", "short-token", moment(seconds=0.5))
    assert site.acting("short-token", "GET", "/me").status == 200
    time.sleep(0.6)

    assert refusal(site.acting("short-token", "GET", "/me")) == BAD
    assert refusal(site.verify("short-token")) == BAD


def test_a_command_ends_tokens_as_well(site: Site) -> None:
    token = site.token("commanded")
    site.bind("commanded", "commanded-own")
    done = commands.run(site.sidecar.environ, "tokens", "revoke", "--user", "commanded")

    assert done.returncode == 0, done.stderr
    assert {site.verify(one).status for one in (token, "commanded-own")} == {401}
    assert site.verify(site.token("commanded")).status == 200


def test_what_is_kept_of_a_token_is_a_digest(imkit_before: Callable[..., Any]) -> None:
    with imkit_before() as site:
        made = site.token("kept")
        site.bind("kept", "own-token-in-no-table")
        path = site.sidecar.environ["DATABASE_URL"].removeprefix("sqlite:///")
        run_at(f"sqlite:///{path}", "PRAGMA wal_checkpoint(TRUNCATE)")
        content = Path(path).read_bytes()

        assert made.partition(".")[0].encode() in content  # its name, which is no secret
        assert made.encode() not in content
        assert made.partition(".")[2].encode() not in content
        assert b"own-token-in-no-table" not in content


def test_tokens_outlive_a_restart(imkit_before: Callable[..., Any]) -> None:
    with imkit_before() as site:
        token = site.token("lasting")

        environ = site.sidecar.environ | {"HTTP_PORT": str(free_port())}
        output = site.sidecar.output.with_suffix(".again.log")

        with Sidecar(output, environ) as again:
            reply = call(again.port, "POST", "/imkit/verify", body={"token": token})

        assert reply.json == {"id": "lasting"}


def test_a_path_with_another_shape_is_no_client(site: Site) -> None:
    reply = site.ask("PUT", "/admin/clients/a/b/token", body={"token": "t"})
    bad = site.ask("PUT", "/admin/clients/%FF/token", body={"token": "t"})

    assert refusal(reply) == (404, 404, "NOT_FOUND")
    assert refusal(bad) == (400, 400, "INVALID_REQUEST")
