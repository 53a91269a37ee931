"""What is written for a document: what differs, and nothing else."""

import json
from typing import Any

import pytest

from chatproxy.providers.permissions import Plan, Refused, Reply, Request
from chatproxy.providers.stream.permissions import document
from chatproxy.providers.stream.permissions.export import export
from chatproxy.providers.stream.permissions.names import BUILT_IN_ROLES
from chatproxy.providers.stream.permissions.plan import plan
from chatproxy.providers.stream.permissions.refusals import reply_to
from chatproxy.providers.stream.permissions.today import Today, look

REQUIRED = {"max_message_length": 777, "automod": "AI", "automod_behavior": "block"}
POLICY = {
    "name": "all",
    "resources": ["*"],
    "roles": ["admin", "user"],
    "owner": False,
    "action": "Allow",
    "priority": 600,
}
READ = {
    "name": "forum",
    **REQUIRED,
    "reactions": False,
    "blocklist": None,
    "commands": [{"name": "giphy", "description": "", "args": "", "set": "fun_set"}],
    "created_at": "2026-11-27T00:00:00Z",
    "grants": {"user": ["create-channel", "read-channel"], "guest": ["read-channel"]},
    "permissions": [POLICY],
}


def today(**changed: Any) -> Today:
    found: dict[str, Any] = {
        "roles": frozenset(BUILT_IN_ROLES | {"support"}),
        "custom_roles": ("support",),
        "app": {"user": ["flag-user", "search-user"]},
        "types": {"forum": READ},
        "version": "2",
    }
    return Today(**(found | changed))


def planned(content: Any, found: Today, *, creates_types: bool = False) -> Plan:
    return plan(document.parse(json.dumps(content).encode()), found, creates_types=creates_types)


def requests(content: Any, found: Today, **how: bool) -> list[tuple[str, str, Any]]:
    return [tuple(one.request) for one in planned(content, found, **how).writes]


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"app": {}},
        {"forum": {}},
        {"app": {"user": ["search-user", "flag-user"]}},
        {"app": {"guest": []}},
        {"app": {"user": ["!ban-user"]}},
        {"app": {"user": ["!ban-user", "search-user"]}},
        {"app": {"support": []}},
        {"forum": {"user": ["read-channel", "create-channel"], "guest": ["read-channel"]}},
    ],
)
def test_nothing_is_written_where_nothing_differs(content: Any) -> None:
    assert planned(content, today()) == Plan()


@pytest.mark.parametrize("number", range(3))
def test_policies_are_the_same_in_any_order(number: int) -> None:
    second = {**POLICY, "name": "second", "resources": ["BanUser", "AddLinks"], "priority": 5}
    third = {**POLICY, "name": "third", "roles": ["user"], "action": "Deny", "priority": 5}
    policies = [POLICY, second, third]
    found = today(types={"forum": {**READ, "permissions": policies}})
    other = [*policies[number:], *policies[:number]]
    turned = [{**one, "resources": one["resources"][::-1]} for one in other]

    assert planned({"forum": turned}, found) == Plan()


def test_roles_come_before_what_they_are_granted() -> None:
    content = {"app": {"a": ["flag-user"]}, "forum": {"b": ["read-channel"], "a": []}}

    assert [(method, path) for method, path, _ in requests(content, today())] == [
        ("POST", "/roles"),
        ("POST", "/roles"),
        ("PATCH", "/app"),
        ("PUT", "/channeltypes/forum"),
    ]
    assert [body for _, path, body in requests(content, today()) if path == "/roles"] == [
        {"name": "a"},
        {"name": "b"},
    ]


def test_a_built_in_role_is_never_made_even_where_stream_does_not_list_it() -> None:
    content = {"app": dict.fromkeys(sorted(BUILT_IN_ROLES), [])}

    assert requests(content, today(roles=frozenset(), app={})) == []


def test_a_list_without_revocations_is_all_that_a_role_is_granted() -> None:
    (write,) = planned({"app": {"user": ["ban-user", "search-user"]}}, today()).writes

    assert write.request.body == {"grants": {"user": ["ban-user", "search-user"]}}
    assert write.changes == ("app: user: + ban-user, - flag-user",)


def test_an_empty_list_takes_all_away() -> None:
    (write,) = planned({"app": {"user": []}}, today()).writes

    assert write.request.body == {"grants": {"user": []}}


def test_a_revocation_changes_what_there_is_and_goes_out_as_the_whole_list() -> None:
    content = {"app": {"user": ["!flag-user", "ban-user", "!mute-user"]}}
    (write,) = planned(content, today()).writes

    assert write.request.body == {"grants": {"user": ["search-user", "ban-user"]}}
    assert write.changes == ("app: user: + ban-user, - flag-user",)


def test_only_the_roles_that_differ_are_in_a_write() -> None:
    content = {"app": {"user": ["flag-user", "search-user"], "guest": ["flag-user"]}}
    ((_, _, body),) = requests(content, today())

    assert body == {"grants": {"guest": ["flag-user"]}}


@pytest.mark.parametrize(
    ("content", "field", "value"),
    [
        ({"forum": {"guest": []}}, "grants", {"guest": []}),
        ({"forum": []}, "permissions", []),
    ],
)
def test_all_else_of_a_type_is_sent_back_as_it_was_read(
    content: Any, field: str, value: Any
) -> None:
    ((_, _, body),) = requests(content, today())

    # Commands are read as objects and written as names; what is null has no value to send.
    assert body == {**REQUIRED, "reactions": False, "commands": ["giphy"], field: value}


def test_permissions_that_stream_does_not_have_are_told_with_their_place() -> None:
    content = {"app": {"user": ["!fly", "search-user"]}, "forum": {"guest": ["read-channel", "x"]}}
    known = frozenset({"search-user", "read-channel"})

    assert planned(content, today(known=known)).faults == (
        "app.user: Stream has no permission fly.",
        "forum.guest: Stream has no permission x.",
    )
    assert planned(content, today(known=None)).faults == ()


def test_a_missing_type_of_version_2_is_told_and_holds_nothing_up() -> None:
    content = {"shop": {"user": []}, "forum": {"guest": []}}
    found = planned(content, today())

    assert [one.request.path for one in found.writes] == ["/channeltypes/forum"]
    assert found.faults == (
        "There is no channel type shop at Stream. Make it there, or set "
        "PERMISSIONS_CREATE_TYPES=true.",
    )


def test_a_missing_type_of_version_2_is_made_on_request() -> None:
    found = planned({"shop": {"user": []}}, today(), creates_types=True)
    (write,) = found.writes

    assert found.faults == ()
    assert tuple(write.request) == (
        "POST",
        "/channeltypes",
        {
            "name": "shop",
            "max_message_length": 5000,
            "automod": "disabled",
            "automod_behavior": "flag",
            "commands": ["all"],
        },
    )


def test_a_missing_type_of_version_1_is_made_with_its_policies() -> None:
    ((method, path, body),) = requests({"shop": [{"name": "x", "priority": 7}]}, today())

    assert (method, path, body["name"]) == ("POST", "/channeltypes", "shop")
    assert body["permissions"] == [
        {**POLICY, "name": "x", "roles": ["*"], "priority": 7},
    ]


def test_a_policy_that_is_changed_replaces_the_list() -> None:
    changed = {**POLICY, "action": "deny"}
    (write,) = planned({"forum": [changed]}, today()).writes

    assert write.request.body is not None
    assert write.request.body["permissions"] == [{**POLICY, "action": "Deny"}]
    assert write.changes == (
        'forum: - "all" (600): Allow * to admin, user',
        'forum: + "all" (600): Deny * to admin, user',
    )


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_is_exported_changes_nothing(version: str) -> None:
    found = today()
    exported = export(found, version)

    assert planned(exported, found) == Plan()
    assert document.parse(json.dumps(exported).encode()).version == version


def test_an_export_has_the_roles_without_a_grant() -> None:
    assert export(today(), "2") == {
        "app": {"support": [], "user": ["flag-user", "search-user"]},
        "forum": {"guest": ["read-channel"], "user": ["create-channel", "read-channel"]},
    }


def test_an_export_leaves_out_what_no_document_may_hold() -> None:
    odd = {"*": ["flag-user"], "user": [], "guest": ["flag-user", "what is this"]}
    found = today(types={"forum": READ, "a:b": READ}, app=odd)

    assert export(found, "2").keys() == {"app", "forum"}
    assert export(found, "2")["app"] == {"support": [], "user": []}


@pytest.mark.parametrize("odd", [None, 5, True, "read", [7], [None], [["a"]], {"a": 1}])
@pytest.mark.parametrize("field", ["name", "resources", "roles", "owner", "action", "priority"])
def test_a_policy_of_no_known_form_is_replaced(field: str, odd: Any) -> None:
    found = today(types={"forum": READ | {"permissions": [POLICY | {field: odd}]}})
    document_of_it = {"forum": [POLICY | {"name": "another"}]}

    ((method, path, body),) = requests(document_of_it, found)
    assert (method, path) == ("PUT", "/channeltypes/forum")
    assert [one["name"] for one in body["permissions"]] == ["another"]
    assert all(planned(document_of_it, found).writes[0].changes)


@pytest.mark.parametrize("odd", [5, True, "giphy", {"a": 1}])
def test_commands_of_no_known_form_are_sent_back_as_they_are(odd: Any) -> None:
    found = today(types={"forum": READ | {"commands": odd}})

    ((_, _, body),) = requests({"forum": {"user": []}}, found)
    assert body["commands"] == odd


def test_permissions_of_no_known_form_are_none_that_stream_has() -> None:
    answers = {
        "/roles": {"roles": []},
        "/permissions": {"permissions": [{"id": "a"}, {"id": ["b"]}, {"id": {}}, {}, 5]},
        "/app": {"app": {}},
        "/channeltypes": {"channel_types": {}},
    }

    found = look(lambda request: Reply(200, answers[request.path]), "2")
    assert found.known == {"a"}


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (Request("POST", "/roles", {"name": "support"}), "POST /roles for support"),
        (Request("POST", "/channeltypes", {"name": "forum"}), "POST /channeltypes for forum"),
        (Request("PUT", "/channeltypes/forum", {"grants": {}}), "PUT /channeltypes/forum"),
    ],
)
def test_a_refusal_says_what_was_refused(request_: Request, what: str) -> None:
    with pytest.raises(Refused, match=rf"Stream answered {what} with 400 \(code 4\)\."):
        reply_to(lambda _: Reply(400, {"code": 4}), request_)
