"""What is done with users at Stream: their tokens are ended, guests are made, users are ensured."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import jwt
import pytest
import requests

from chatproxy.providers.base import BACK_DATED
from chatproxy.providers.stream.people import STREAMS_OWN, moment_after
from tests.calls import Reply, call
from tests.canaries import API_KEY, API_SECRET
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream

REVOCATION = "revoke_tokens_issued_before"


@pytest.fixture(autouse=True)
def _fresh(upstream: StreamUpstream) -> Iterator[None]:
    state = upstream.app.state

    with state.lock:
        state.users.clear()
        state.app.pop(REVOCATION, None)

    upstream.faults.clear()
    yield
    upstream.faults.clear()

    with state.lock:
        state.app.pop(REVOCATION, None)


def known(upstream: StreamUpstream, user_id: str = "alice") -> dict[str, Any] | None:
    with upstream.app.state.lock:
        return upstream.app.state.users.get(user_id)


def make(upstream: StreamUpstream, user_id: str = "alice", **fields: Any) -> None:
    with upstream.app.state.lock:
        upstream.app.state.add_user(user_id).update(fields)


def asked(upstream: StreamUpstream) -> list[str]:
    return [f"{one.method} {one.target.partition('?')[0]}" for one in upstream.journal]


def is_good(upstream: StreamUpstream, token: str) -> bool:
    """Whether Stream takes a token, as a client of its own would find out."""
    headers = {"Authorization": token, "stream-auth-type": "jwt"}
    params = {"api_key": API_KEY, "payload": "{}"}
    answer = requests.get(f"{upstream.url}/users", params=params, headers=headers, timeout=5)
    assert answer.status_code in (200, 401)
    return answer.status_code == 200


def token_of(second: int, user_id: str = "alice") -> str:
    return jwt.encode({"user_id": user_id, "iat": second}, API_SECRET, algorithm="HS256")


def revoke(sidecar: Sidecar, user_id: str = "alice", query: str = "", body: Any = None) -> Reply:
    return call(sidecar.port, "POST", f"/users/{user_id}/revoke-tokens{query}", body=body)


def test_the_tokens_of_a_user_are_ended_and_no_others(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    make(upstream)
    make(upstream, "bob")
    mine = call(sidecar.port, "GET", "/token/alice").json["token"]
    theirs = call(sidecar.port, "GET", "/token/bob").json["token"]
    assert is_good(upstream, mine)
    upstream.journal.clear()

    reply = revoke(sidecar)

    assert reply.status == 200
    assert reply.header("Cache-Control") == "no-store"
    assert asked(upstream) == ["PATCH /users"]
    assert not is_good(upstream, mine)
    assert is_good(upstream, theirs)
    said = reply.json
    assert list(said) == ["userId", "revokedBefore", "newTokensFrom"]
    assert said["userId"] == "alice"
    moment = known(upstream)[REVOCATION]  # type: ignore[index]
    assert datetime.fromisoformat(said["revokedBefore"]) == moment


def test_what_was_made_just_before_is_ended_whoever_made_it(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    """Not all tokens are set back: Stream's own for guests, a machine's whose clock is ahead."""
    make(upstream)
    before = int(time.time())
    said = revoke(sidecar).json
    end = datetime.fromisoformat(said["revokedBefore"]).timestamp()

    assert end > before
    assert end == int(end)
    assert not is_good(upstream, token_of(before))


@pytest.mark.parametrize("now", [1000.0, 1000.001, 1000.999])
def test_the_moment_is_after_every_token_of_the_second(now: float) -> None:
    assert moment_after(now) == 1001
    assert int(now) < moment_after(now)


def test_a_revocation_can_be_taken_back(sidecar: Sidecar, upstream: StreamUpstream) -> None:
    make(upstream)
    mine = call(sidecar.port, "GET", "/token/alice").json["token"]
    revoke(sidecar)
    reply = revoke(sidecar, body={"before": None})

    assert (reply.status, reply.json) == (
        200,
        {"userId": "alice", "revokedBefore": None, "newTokensFrom": None},
    )
    assert is_good(upstream, mine)


def test_only_what_is_older_than_a_given_moment_is_ended(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    make(upstream)
    second = int(time.time()) - 100
    given = datetime.fromtimestamp(second, UTC).isoformat()

    reply = revoke(sidecar, body={"before": given})

    assert reply.status == 200
    assert not is_good(upstream, token_of(second - 1))
    # One that is made here when the answer says so is good: it says that it is older.
    later = datetime.fromisoformat(reply.json["newTokensFrom"]).timestamp()
    assert later == second + BACK_DATED
    assert is_good(upstream, token_of(int(later) - BACK_DATED))


@pytest.mark.parametrize(
    "body",
    [
        {"before": "2999-01-01T00:00:00Z"},
        {"before": "yesterday"},
        {"before": "2026-01-01T00:00:00"},
        {"before": ""},
        {"before": 1795177602},
        {"before": True},
        {"before": ["2026-01-01T00:00:00Z"]},
        [],
        b"{",
        b'{"before": null, "before": "2026-01-01T00:00:00Z"}',
    ],
    ids=str,
)
def test_a_bad_body_ends_nothing(sidecar: Sidecar, upstream: StreamUpstream, body: Any) -> None:
    make(upstream)
    reply = revoke(sidecar, body=body)

    assert reply.status == 400
    assert list(reply.json) == ["errorMsg"]
    assert asked(upstream) == []


@pytest.mark.parametrize("user_id", ["a%2Fb", "a.b", "a%20b", "x" * 256, "%C3%A9", "a/b"])
@pytest.mark.parametrize("query", ["", "?upsert=true"])
def test_a_bad_id_is_asked_nowhere(
    sidecar: Sidecar, upstream: StreamUpstream, user_id: str, query: str
) -> None:
    reply = revoke(sidecar, user_id, query)

    assert reply.status == 400
    assert "user id" in reply.json["errorMsg"]
    assert asked(upstream) == []


def test_a_user_whom_stream_does_not_have_is_404(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    reply = revoke(sidecar, "nobody")

    assert reply.status == 404
    assert "no user with this id" in reply.json["errorMsg"]
    assert known(upstream, "nobody") is None


def test_with_upsert_tokens_that_were_never_used_are_ended_too(
    sidecar: Sidecar, upstream: StreamUpstream
) -> None:
    unused = call(sidecar.port, "GET", "/token/nobody").json["token"]
    assert revoke(sidecar, "nobody", "?upsert=true").status == 200

    assert not is_good(upstream, unused)


#: Each way in which Stream does not do it, and what is answered.
FAILURES = {
    "status=500": 502,
    "status=401": 502,
    "status=403": 502,
    "status=302": 502,
    "status=204": 502,
    "status=200": 502,  # with an answer in which the user is not
    "status=429": 503,
    "status=429-budget": 503,
    "reset": 502,
    "cut=sized": 502,
    "never": 504,
}


@pytest.mark.parametrize("fault", FAILURES)
def test_what_did_not_happen_is_not_said(
    sidecar: Sidecar, upstream: StreamUpstream, fault: str
) -> None:
    make(upstream)
    upstream.faults.next(fault, method="PATCH")
    reply = revoke(sidecar)

    assert reply.status == FAILURES[fault], reply.raw.body
    assert list(reply.json) == ["errorMsg"]
    assert API_KEY not in reply.raw.body.decode()

    if reply.status == 503:
        assert reply.header("Retry-After") == "60"


class TestGuests:
    @staticmethod
    def ask(sidecar: Sidecar, user: Any) -> Reply:
        return call(sidecar.port, "POST", "/guest", body={"user": user})

    def test_a_guest_gets_an_id_and_a_token(
        self, sidecar: Sidecar, upstream: StreamUpstream
    ) -> None:
        reply = self.ask(sidecar, {"id": "tom", "name": "Tom", "shoe": 44})

        assert reply.status == 201
        assert reply.header("Cache-Control") == "no-store"
        said = reply.json
        assert said["userId"].endswith("-tom")
        assert said["user"]["id"] == said["userId"]
        assert (said["user"]["name"], said["user"]["shoe"]) == ("Tom", 44)
        assert said["user"]["role"] == "guest"
        assert is_good(upstream, said["token"])
        assert json.loads(upstream.journal[0].body)["user"] == {
            "id": "tom",
            "name": "Tom",
            "shoe": 44,
        }

    def test_its_tokens_can_be_ended(self, sidecar: Sidecar, upstream: StreamUpstream) -> None:
        """Stream's tokens are not set back: what it made this second is ended as well."""
        said = self.ask(sidecar, {"id": "tom"}).json

        assert revoke(sidecar, said["userId"]).status == 200
        assert not is_good(upstream, said["token"])

    @pytest.mark.parametrize("name", sorted(STREAMS_OWN))
    def test_nobody_becomes_an_administrator(
        self, sidecar: Sidecar, upstream: StreamUpstream, name: str
    ) -> None:
        reply = self.ask(sidecar, {"id": "tom", name: "admin"})

        assert reply.status == 400
        assert name in reply.json["errorMsg"]
        assert asked(upstream) == []

    @pytest.mark.parametrize(
        "user", [None, "tom", [], {}, {"id": ""}, {"id": 7}, {"id": "a b"}, {"id": "x" * 256}]
    )
    def test_without_an_id_nobody_is_made(
        self, sidecar: Sidecar, upstream: StreamUpstream, user: Any
    ) -> None:
        reply = self.ask(sidecar, user)

        assert reply.status == 400
        assert list(reply.json) == ["errorMsg"]
        assert asked(upstream) == []

    def test_what_stream_does_not_take_is_said_in_its_words(self, sidecar: Sidecar) -> None:
        reply = self.ask(sidecar, {"id": "tom", "blob": "x" * 6000})

        assert reply.status == 400
        assert "larger than 5 KB" in reply.json["errorMsg"]

    @pytest.mark.parametrize("fault", ["status=500", "status=200", "status=429", "cut=sized"])
    def test_without_an_answer_there_is_no_guest(
        self, sidecar: Sidecar, upstream: StreamUpstream, fault: str
    ) -> None:
        upstream.faults.next(fault)
        reply = self.ask(sidecar, {"id": "tom"})

        assert reply.status == (503 if "429" in fault else 502)
        assert list(reply.json) == ["errorMsg"]


class TestUpsert:
    def test_by_default_nothing_is_asked(self, sidecar: Sidecar, upstream: StreamUpstream) -> None:
        for query in ("", "?upsert=false"):
            assert call(sidecar.port, "GET", f"/token/alice{query}").status == 201

        assert asked(upstream) == []

    def test_a_new_user_is_made(self, sidecar: Sidecar, upstream: StreamUpstream) -> None:
        reply = call(sidecar.port, "GET", "/token/alice?upsert=true")

        assert reply.status == 201
        assert list(reply.json) == ["userId", "token"]
        assert known(upstream) is not None
        assert asked(upstream) == ["GET /users", "POST /users"]

    def test_one_who_is_there_stays_as_it_is(
        self, sidecar: Sidecar, upstream: StreamUpstream
    ) -> None:
        """`POST /users` would take away what it does not name."""
        make(upstream, name="Alice", role="admin", custom={"shoe": 38})

        assert call(sidecar.port, "GET", "/token/alice?upsert=true").status == 201
        user = known(upstream)
        assert user is not None
        assert (user["name"], user["role"], user["custom"]) == ("Alice", "admin", {"shoe": 38})

    @pytest.mark.parametrize("method", ["GET", "POST"])
    @pytest.mark.parametrize("fault", ["status=500", "status=200", "status=429", "reset"])
    def test_without_the_user_there_is_no_token(
        self, sidecar: Sidecar, upstream: StreamUpstream, fault: str, method: str
    ) -> None:
        upstream.faults.next(fault, path="/users", method=method)

        if (method, fault) == ("GET", "reset"):
            upstream.faults.next(fault, path="/users", method=method)  # it is asked twice

        reply = call(sidecar.port, "GET", "/token/alice?upsert=true")

        assert reply.status == (503 if "429" in fault else 502)
        assert list(reply.json) == ["errorMsg"]

    @pytest.mark.parametrize(
        "query", ["upsert=", "upsert=1", "upsert=TRUE", "upsert=true&upsert=true", "upsert=yes"]
    )
    def test_anything_else_is_400(
        self, sidecar: Sidecar, upstream: StreamUpstream, query: str
    ) -> None:
        reply = call(sidecar.port, "GET", f"/token/alice?{query}")

        assert reply.status == 400
        assert reply.json["errorMsg"].startswith("upsert: ")
        assert asked(upstream) == []
