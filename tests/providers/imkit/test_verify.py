"""`POST /imkit/verify`: whose token is this?"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.calls import call
from tests.providers.chatsdk import claims
from tests.providers.imkit.conftest import Site
from tests.providers.imkit.refusals import refusal

BAD = (401, 401, "INVALID_TOKEN")
OTHERS = {
    "PROVIDERS": "imkit,chatsdk,performchat,imbachat",
    "CHATSDK_JWT_SECRET": claims.JWT_SECRET,
    "CENTRIFUGO_TOKEN_SECRET": "centrifugo-secret-of-32-bytes-or-more",
    "PERFORMCHAT_JWT_SECRET": "performchat-secret-of-32-bytes-or-more",
    "IMBACHAT_API_PASSWORD": "password",
    "IMBACHAT_SECRET_KEY": "imbachat-secret-of-32-bytes-or-more",
    "TOKEN_RATE_LIMIT": "100000 per minute",
}


@pytest.fixture(scope="module")
def every(imkit_before: Callable[..., Any]) -> Iterator[Site]:
    """A site on which the tokens of the others count too."""
    with imkit_before(**OTHERS, IMKIT_VERIFY="all") as site:
        site.run("agents", "create", "Agent", "--id", "agent")
        yield site


@pytest.fixture(scope="module")
def own(imkit_before: Callable[..., Any]) -> Iterator[Site]:
    with imkit_before(**OTHERS) as site:
        site.run("agents", "create", "Agent", "--id", "agent")
        yield site


def chatsdk(site: Site, user_id: str) -> Any:
    key = f"X-API-Key: {site.api_key}"
    return call(
        site.sidecar.port, "POST", "/tokens", key, body={"userId": user_id, "name": "N"}
    ).json


def performchat(site: Site, user_id: str) -> str:
    key_id, _, secret = site.api_key.partition(".")
    body = {"keyId": key_id, "keySecret": secret, "userId": user_id}
    found: str = call(site.sidecar.port, "POST", "/rest/v1/auth/token", body=body).json["token"]
    return found


def test_the_others_tokens_count_where_the_setting_says_so(every: Site, own: Site) -> None:
    for site, status in ((every, 200), (own, 401)):
        replies = [site.verify(chatsdk(site, "c")["token"]), site.verify(performchat(site, "p"))]
        assert [reply.status for reply in replies] == [status] * 2

    assert every.verify(chatsdk(every, "c")["token"]).json == {"id": "c", "nickname": "N"}
    assert every.verify(performchat(every, "p")).json == {"id": "p"}


def test_ones_own_tokens_count_in_both(every: Site, own: Site) -> None:
    for site in (every, own):
        assert site.verify(site.token("mine")).json == {"id": "mine"}


def test_a_token_made_with_the_shared_secret_elsewhere_names_its_user(every: Site) -> None:
    assert every.verify(claims.made("made-elsewhere")).json == {"id": "made-elsewhere"}


def test_what_does_not_count_there_does_not_count_here(every: Site) -> None:
    pair = chatsdk(every, "gone")
    tokens = {
        "for the socket": pair["wsToken"],
        "of another app": claims.made("x", app_id="elsewhere"),
        "expired": claims.made("x", iat=1, exp=2),
        "imbachat's": call(every.sidecar.port, "GET", "/imbachat/token/7").json["token"],
    }
    every.run("tokens", "revoke", "--user", "gone")

    assert {name: refusal(every.verify(token)) for name, token in tokens.items()} == dict.fromkeys(
        tokens, BAD
    )
    assert refusal(every.verify(pair["token"])) == BAD


def test_they_open_no_client_call(every: Site) -> None:
    token = chatsdk(every, "c")["token"]

    assert refusal(every.acting(token, "GET", "/me")) == BAD


@pytest.mark.parametrize("token", [None, 7, True, [], {}], ids=repr)
def test_a_token_that_is_no_text(own: Site, token: Any) -> None:
    assert refusal(own.verify(token))[0] == 400


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "é" * 5000, "a b", "Bearer "], ids=repr)
def test_a_text_that_is_nobodys_token(site: Site, token: str) -> None:
    assert refusal(site.verify(token)) == BAD


def test_a_bearer_in_front_is_tolerated(own: Site) -> None:
    assert own.verify(f"Bearer {own.token('bearer')}").status == 200


def test_failures_are_limited_and_good_ones_are_not(imkit_before: Callable[..., Any]) -> None:
    with imkit_before(AUTH_FAILURE_LIMIT="2 per minute") as site:
        statuses = [site.verify("guess").status for _ in range(4)]
        limited = site.verify("guess")

        assert statuses == [401, 401, 429, 429]
        assert refusal(limited) == (429, 429, "RATE_LIMIT_EXCEEDED")
        assert int(limited.header("Retry-After") or 0) > 0
        assert site.verify(site.token("good")).status == 200
