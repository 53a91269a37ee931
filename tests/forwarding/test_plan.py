"""What is remembered of names belongs to one upstream and one set of credentials."""

import requests

from chatproxy.forwarding import MOST_PLANS, Way
from chatproxy.forwarding.headers import Withheld
from chatproxy.forwarding.target import Upstream

UPSTREAM = Upstream.at("http://up.example")


def way(*withheld: str) -> Way:
    names = frozenset(withheld)
    return Way(UPSTREAM, requests.Session(), Withheld(names, names))


def test_names_are_decided_on_apart_for_each_set_of_credentials() -> None:
    here = way()
    one, other = here.plan(frozenset({"api_key"})), here.plan(frozenset({"secret"}))

    assert [one.in_request("Api-Key"), one.in_request("Secret")] == ["dropped", "kept"]
    assert [other.in_request("Api-Key"), other.in_request("Secret")] == ["kept", "dropped"]
    assert [one.drops_parameter("secret"), other.drops_parameter("secret")] == [False, True]


def test_what_is_decided_once_is_not_decided_again() -> None:
    here = way()

    assert here.plan(frozenset({"api_key"})) is here.plan(frozenset({"api_key"}))


def test_what_one_upstream_may_see_another_may_not() -> None:
    one, other = (way(name).plan(frozenset()) for name in ("ours", "theirs"))

    assert [one.in_request("Ours"), other.in_request("Ours")] == ["dropped", "kept"]
    assert [one.drops_parameter("ours"), other.drops_parameter("ours")] == [True, False]


def test_no_more_is_remembered_than_there_is_room_for() -> None:
    """Callers choose names, and a credential may reserve some of theirs."""
    here = way()
    first = here.plan(frozenset({"api_key"}))

    for number in range(MOST_PLANS):
        here.plan(frozenset({f"name_{number}"}))

    again = here.plan(frozenset({"api_key"}))

    assert again is not first
    assert again.in_request("Api-Key") == "dropped"
