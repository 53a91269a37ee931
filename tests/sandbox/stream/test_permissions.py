"""Roles, grants and types of channels at the stand-in: as strict as the vendor's document."""

from typing import Any

import pytest

from tests.sandbox.client import Client

TYPE = {"max_message_length": 5000, "automod": "disabled", "automod_behavior": "flag"}
POLICY = {
    "name": "p",
    "resources": ["*"],
    "roles": ["*"],
    "owner": False,
    "action": "Allow",
    "priority": 1,
}


def roles(client: Client) -> dict[str, bool]:
    return {one["name"]: one["custom"] for one in client.call("GET", "/roles")["roles"]}


def test_a_role_is_made_once(client: Client) -> None:
    told = client.call("POST", "/roles", {"name": "r" * 64})

    assert told.status == 201
    assert told["role"]["custom"] is True
    assert client.call("POST", "/roles", {"name": "r" * 64}).refusal == (400, 4)
    assert client.call("POST", "/api/v2/roles", {"name": "user"}).refusal == (400, 4)
    assert roles(client)["r" * 64] is True
    assert roles(client)["channel_moderator"] is False


@pytest.mark.parametrize("name", ["", "r" * 65, 7, None])
def test_a_role_without_a_right_name_is_refused(client: Client, name: Any) -> None:
    assert client.call("POST", "/roles", {"name": name}).refusal == (400, 4)


def test_grants_of_the_app_change_for_the_roles_that_are_named(client: Client) -> None:
    before = client.call("GET", "/app")["app"]["grants"]
    told = client.call("PATCH", "/app", {"grants": {"user": ["ban-user-owner"], "guest": []}})

    assert told.status == 200
    assert client.call("GET", "/app")["app"]["grants"] == {
        **before,
        "user": ["ban-user-owner"],
        "guest": [],
    }


@pytest.mark.parametrize(
    "grants",
    [
        {"nobody": []},
        {"user": ["fly"]},
        {"user": ["!ban-user"]},
        {"user": ["BanUser"]},
        {"user": "ban-user"},
        {"user": None},
        [],
    ],
)
def test_what_no_role_can_be_granted_is_refused_and_changes_nothing(
    client: Client, grants: Any
) -> None:
    before = client.call("GET", "/app")["app"]

    assert client.call("PATCH", "/app", {"grants": grants}).refusal == (400, 4)
    body = {**TYPE, "grants": grants}
    assert client.call("PUT", "/channeltypes/team", body).refusal == (400, 4)
    assert client.call("GET", "/app")["app"] == before


def test_a_type_of_channels_is_made_with_what_messaging_grants(client: Client) -> None:
    told = client.call("POST", "/channeltypes", {"name": "forum", **TYPE})

    assert told.status == 201
    assert told["grants"] == client.call("GET", "/channeltypes/messaging")["grants"]
    assert "forum" in client.call("GET", "/channeltypes")["channel_types"]
    assert client.call("POST", "/channeltypes", {"name": "forum", **TYPE}).refusal == (400, 4)
    assert client.call("POST", "/channels/forum/x/query", {}).refusal == (400, 4)  # without a user


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "a:b"},
        {"name": "messaging"},
        {"name": None},
        {"max_message_length": None},
        {"max_message_length": 20_001},
        {"max_message_length": True},
        {"automod": "no"},
        {"automod_behavior": "shadow_block"},
        {"commands": [{"name": "giphy"}]},
        {"reactions": "no"},
        {"unheard_of": 1},
        {"permissions": [{**POLICY, "priority": 0}]},
        {"permissions": [{**POLICY, "action": "allow"}]},
        {"permissions": [{"name": "p"}]},
        {"permissions": {}},
    ],
)
def test_a_type_with_something_wrong_is_refused(client: Client, wrong: Any) -> None:
    body = {"name": "forum", **TYPE, **wrong}

    assert client.call("POST", "/channeltypes", body).refusal == (400, 4)
    assert "forum" not in client.call("GET", "/channeltypes")["channel_types"]


@pytest.mark.parametrize("missing", TYPE)
def test_a_change_of_a_type_needs_three_fields(client: Client, missing: str) -> None:
    body = {name: value for name, value in TYPE.items() if name != missing}

    assert client.call("PUT", "/channeltypes/team", body).refusal == (400, 4)


def test_a_change_of_a_type_sets_back_what_it_leaves_out(client: Client) -> None:
    path = "/channeltypes/team"
    before = client.call("GET", path).json
    told = client.call("PUT", path, {**TYPE, "reactions": False, "grants": {"user": []}})
    assert told.status == 201
    assert (told["reactions"], told["commands"]) == (False, [])
    after = client.call("PUT", path, {**TYPE, "permissions": [POLICY]})

    assert after["reactions"] is True
    assert after["permissions"] == [POLICY]
    assert after["grants"] == {**before["grants"], "user": []}
    assert client.call("PUT", "/channeltypes/none", TYPE).refusal == (404, 16)


def test_every_permission_that_is_listed_can_be_granted(client: Client) -> None:
    listed = [one["id"] for one in client.call("GET", "/permissions")["permissions"]]

    assert {"ban-user", "ban-user-owner", "create-message-any-team"} <= set(listed)
    assert client.call("PATCH", "/app", {"grants": {"user": listed}}).status == 200


def test_the_system_is_one_of_two(client: Client) -> None:
    assert client.call("PATCH", "/app", {"permission_version": "v3"}).refusal == (400, 4)
    assert client.call("PATCH", "/app", {"permission_version": "v1"}).status == 200
    assert client.call("GET", "/app")["app"]["permission_version"] == "v1"
