"""The permissions document: what is taken, and every fault with its place."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from chatproxy import settings
from chatproxy.formats.json_document import MOST_FAULTS, DocumentError
from chatproxy.providers import SETTINGS
from chatproxy.providers.stream.permissions import document
from chatproxy.providers.stream.permissions.policies import Policy
from tests.settings.loading import problems_of
from tests.sidecar import ROOT

ACCOUNT = {"STREAM_API_KEY": "key", "STREAM_API_SECRET": "s" * 40}
POLICY = {"name": "p", "priority": 5}
WHOLE = "must be a whole number from 1 to 999"


def faults_of(given: Any) -> list[str]:
    content = given if isinstance(given, bytes) else json.dumps(given).encode()

    with pytest.raises(DocumentError) as caught:
        document.parse(content)

    return list(caught.value.faults)


def parsed(given: Any) -> document.Document:
    return document.parse(json.dumps(given).encode())


def test_the_defaults_of_a_policy_are_the_documented_ones() -> None:
    (policy,) = parsed({"messaging": [POLICY]}).policies["messaging"]

    assert policy == Policy("p", ("*",), ("*",), False, "Allow", 5)


def test_a_policy_goes_out_with_all_six_fields_in_streams_spelling() -> None:
    given = {
        "name": "members",
        "resources": ["ReadChannel", "CreateMessage"],
        "roles": ["channel_member"],
        "owner": True,
        "action": "deny",
        "priority": 999,
    }
    (policy,) = parsed({"forum": [given]}).policies["forum"]

    assert policy.document() == given | {
        "action": "Deny",
        "resources": ["CreateMessage", "ReadChannel"],
    }


@pytest.mark.parametrize(
    ("wrong", "fault"),
    [
        ({"priority": 0}, f"priority: {WHOLE}"),
        ({"priority": 1000}, f"priority: {WHOLE}"),
        ({"priority": -1}, f"priority: {WHOLE}"),
        ({"priority": 5.0}, f"priority: {WHOLE}"),
        ({"priority": True}, f"priority: {WHOLE}"),
        ({"priority": "5"}, f"priority: {WHOLE}"),
        ({"priority": None}, "priority: is missing"),
        ({"name": None}, "name: is missing"),
        ({"name": ""}, "name: must be a text that is not empty"),
        ({"name": " "}, "name: must be a text that is not empty"),
        ({"name": 7}, "name: must be a text"),
        ({"name": "n" * 256}, "name: is longer than 255 characters"),
        ({"action": "permit"}, "action: must be allow or deny"),
        ({"action": []}, "action: must be allow or deny"),
        ({"owner": "false"}, "owner: must be true or false"),
        ({"owner": None}, "owner: must be true or false"),
        ({"resources": "ReadChannel"}, "resources: must be a list"),
        ({"resources": []}, "resources: is empty: leave it out"),
        ({"resources": ["Fly"]}, "resources.0: Fly is no resource of Stream"),
        ({"resources": ["*", 3]}, "resources.1: must be text"),
        ({"resources": ["ban-user"]}, "ban-user is no resource of Stream: is it meant to be BanUs"),
        ({"resources": ["ReadChanel"]}, "is it meant to be ReadChannel"),
        ({"resources": ["AnyResource"]}, "AnyResource is written *"),
        ({"resources": ["BanUser", "BanUser"]}, "resources.1: BanUser is there twice"),
        ({"roles": ["user", "user"]}, "roles.1: user is there twice"),
        ({"roles": ["r" * 65]}, "roles.0: "),
        ({"roles": ["r" * 65]}, "longer than 64 characters"),
        ({"roles": [""]}, "roles.0: "),
        ({"roles": ["AnyRole"]}, "AnyRole is written *"),
        ({"roles": None}, "roles: must be a list"),
        ({"rank": 3}, "rank: is not known. Known are name, resources, roles, owner, action, prio"),
    ],
)
def test_a_fault_in_a_policy_is_told_with_its_place(wrong: dict[str, Any], fault: str) -> None:
    (told,) = faults_of({"messaging": [POLICY, POLICY | wrong]})

    assert told.startswith("line 1: messaging.1.")
    assert fault in told


@pytest.mark.parametrize(
    ("listed", "place", "fault"),
    [
        (["!"], ".0", "takes nothing away: say what, as in !ban-user"),
        (["!!ban-user"], ".0", "is no name of a permission"),
        (["ban user"], ".0", "is no name of a permission"),
        (["ban-user "], ".0", "is no name of a permission"),
        (["*"], ".0", "is no name of a permission"),
        ([""], ".0", "is empty"),
        (["a\nb"], ".0", "is no name of a permission"),
        (["p" * 256], ".0", "is longer than 255 characters"),
        ([7], ".0", "must be text"),
        ([["ban-user"]], ".0", "must be text"),
        (["ban-user", "ban-user"], ".1", "ban-user is there twice"),
        (["!ban-user", "!ban-user"], ".1", "!ban-user is there twice"),
        (["ban-user", "!ban-user"], ".1", "ban-user is granted and taken away"),
        (["!ban-user", "ban-user"], ".1", "ban-user is granted and taken away"),
        (["BanUser"], ".0", "BanUser is a resource of version 1: write ban-user"),
        (["!BanUser"], ".0", "BanUser is a resource of version 1: write ban-user"),
        ("ban-user", "", "must be a list of permissions"),
        (None, "", "must be a list of permissions"),
        ({}, "", "must be a list of permissions"),
    ],
)
@pytest.mark.parametrize("scope", ["app", "forum"])
def test_a_fault_in_a_grant_is_told_with_its_place(
    scope: str, listed: Any, place: str, fault: str
) -> None:
    (told,) = faults_of({scope: {"admin": [], "user": listed}})

    assert told.startswith(f"line 1: {scope}.user{place}: ")
    assert fault in told


@pytest.mark.parametrize(
    ("role", "fault"),
    [
        ("r" * 65, "longer than 64 characters"),
        ("", "it is empty"),
        (" user", "white space"),
        ("a\nb", "cannot be printed"),
        ("a\ud800", "cannot be printed"),
        ("*", "stands for any in version 1 only"),
    ],
)
def test_a_role_that_stream_would_not_take_is_told(role: str, fault: str) -> None:
    (told,) = faults_of({"messaging": {role: []}})

    assert fault in told
    assert told.isprintable()


@pytest.mark.parametrize("length", [64, 1])
def test_a_role_of_64_characters_is_one(length: int) -> None:
    assert parsed({"app": {"ö" * length: []}}).roles == ["ö" * length]


@pytest.mark.parametrize("content", [{}, []], ids=["version 2", "version 1"])
@pytest.mark.parametrize(
    ("name", "fault"),
    [
        (".app", "is reserved by Stream"),
        ("App", "is reserved by Stream"),
        ("video:default", "is reserved by Stream"),
        (".video", "is reserved by Stream"),
        ("", "is no name of a type of channels"),
        ("a b", "is no name of a type of channels"),
        ("a/b", "is no name of a type of channels"),
        ("t" * 65, "is no name of a type of channels"),
        ("über", "is no name of a type of channels"),
        ("!", "is no name of a type of channels"),
    ],
)
def test_a_type_that_stream_would_not_take_is_told(name: str, fault: str, content: Any) -> None:
    (told,) = faults_of({"messaging": content, "team": content, name: content})

    assert fault in told


def test_the_scope_of_version_2_is_no_type_in_version_1() -> None:
    (told,) = faults_of({"messaging": [POLICY], "app": [POLICY]})

    assert "app: is reserved by Stream" in told


@pytest.mark.parametrize("value", [None, 3, "x", True])
def test_a_type_that_holds_something_else_is_told(value: Any) -> None:
    assert "team: must be an object of roles" in faults_of({"messaging": {}, "team": value})[0]
    assert "team: must be a list of policies" in faults_of({"messaging": [], "team": value})[0]


def test_a_mix_of_both_versions_is_told_where_it_differs() -> None:
    (told,) = faults_of({"app": {"user": []}, "messaging": {}, "team": [POLICY]})
    assert "team: is a list, as in the other version: the rest is of version 2" in told

    (told,) = faults_of({"messaging": [POLICY], "gaming": [], "team": {}})
    assert "team: is an object, as in the other version: the rest is of version 1" in told


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"[]", "the document must be an object"),
        (b'"app"', "the document must be an object"),
        (b"", "line 1: not valid JSON"),
        (b'{"app": {},}', "line 1: not valid JSON"),
        (b"\xff", "not UTF-8 text"),
        (
            b'{"app":\n{"user": [],\n"user": []}}',
            "line 3: app.user is there twice, first in line 2",
        ),
        (b'{"app": {},\n\n"app": {}}', "line 3: app is there twice, first in line 1"),
        (b'{"m": [{"name": "a", "priority": 1,\n"priority": 2}]}', "line 2: m.0.priority is there"),
        (b'{"m": [{"name": "a",\n"priority": NaN}]}', "line 2: m.0.priority has no value: NaN"),
        (b'{"m": [{"name": "a",\n"priority": 1e999}]}', "line 2: m.0.priority is too large"),
        (b'{"app": ' + b"[" * 100 + b"]" * 100 + b"}", "64 levels deep"),
        (b" " * (1024 * 1024 + 1), "larger than"),
    ],
)
def test_what_is_no_such_document_is_told(content: bytes, fault: str) -> None:
    assert fault in faults_of(content)[0]


def test_all_faults_are_told_at_once_each_with_its_line() -> None:
    given = {"messaging": {"user": ["!", "x y"], "r" * 65: []}, "a:b": {}, "team": [1]}
    told = faults_of(json.dumps(given, indent=1).encode())

    assert [one.partition(": ")[0] for one in told] == [
        f"line {number}" for number in (4, 5, 7, 9, 10)
    ]


def test_a_document_of_the_wrong_kind_is_not_told_a_thousand_times() -> None:
    told = faults_of({"app": {f"role-{number}": None for number in range(1000)}})

    assert len(told) == MOST_FAULTS + 1
    assert told[-1] == f"and {1000 - MOST_FAULTS} more"


def test_a_thousand_roles_are_read_in_no_time_and_warned_of() -> None:
    listed = [f"permission-{number}" for number in range(20)]
    given = {"app": {f"role-{number}": listed for number in range(1000)}}
    began = time.process_time()
    found = parsed(given)
    (warning,) = document.warnings(found)

    assert time.process_time() - began < 5
    assert len(found.roles) == 1000
    assert "1000 roles" in warning
    assert "25" in warning


def test_a_slip_in_a_permission_is_warned_of_and_one_of_your_own_is_not() -> None:
    found = parsed({"messaging": {"user": ["create-mesage", "!baan-user", "our-own-thing"]}})

    assert list(document.warnings(found)) == [
        "messaging.user: create-mesage may be a slip: is it meant to be create-message?",
        "messaging.user: baan-user may be a slip: is it meant to be ban-user?",
    ]


@pytest.mark.parametrize("version", ["1", "2", None])
def test_an_empty_document_is_good_for_both_versions(version: str | None) -> None:
    assert list(document.problems(b"{}", version)) == []


def given_by(path: Path, content: Any, **environ: str) -> dict[str, str]:
    path.write_text(json.dumps(content, indent=1))
    return ACCOUNT | {"PERMISSIONS_CONFIG": str(path)} | environ


def test_a_faulty_document_stops_the_start_beside_all_else_that_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    environ = given_by(path, {"app": {"user": ["!", "a b"]}}, HTTP_PORT="none")

    assert problems_of(**environ) == [
        "HTTP_PORT: is not a port number from 1 to 65535.",
        f"PERMISSIONS_CONFIG: {path} cannot be used: line 4: app.user.0: takes nothing away: say "
        "what, as in !ban-user.",
        f"PERMISSIONS_CONFIG: {path} cannot be used: line 5: app.user.1: is no name of a "
        "permission, such as create-message.",
    ]


@pytest.mark.parametrize(
    ("version", "content"), [("2", {"messaging": [POLICY]}), ("1", {"messaging": {"user": []}})]
)
def test_a_document_of_the_other_version_is_recognised(
    version: str, content: Any, tmp_path: Path
) -> None:
    environ = given_by(tmp_path / "p.json", content, PERMISSIONS_VERSION=version)
    (key, problem) = problems_of(**(environ | {"STREAM_API_KEY": "a&b"}))

    assert key.startswith("STREAM_API_KEY: ")
    other = "1" if version == "2" else "2"
    assert "cannot be used: it is written for version " + other in problem
    assert f"PERMISSIONS_VERSION is {version}. Set that to {other}" in problem


def test_the_other_version_is_told_beside_all_else_that_is_wrong(tmp_path: Path) -> None:
    environ = given_by(tmp_path / "p.json", {"messaging": [{"name": "", "priority": 5}]})
    name, version = problems_of(**environ)

    assert "messaging.0.name: must be a text that is not empty" in name
    assert "it is written for version 1" in version


def test_a_version_that_is_none_is_told_alone(tmp_path: Path) -> None:
    environ = given_by(tmp_path / "p.json", {"messaging": [POLICY]}, PERMISSIONS_VERSION="3")

    assert problems_of(**environ) == ["PERMISSIONS_VERSION: is not 1 or 2."]


def test_the_sample_is_good() -> None:
    environ = ACCOUNT | {"PERMISSIONS_CONFIG": str(ROOT / "configmap" / "permissions.json")}
    found = settings.load(SETTINGS, environ)

    assert list(found.warnings()) == []


@pytest.mark.parametrize(
    ("name", "between"),
    [
        ("\\ud83d\\ude42", " "),
        ("\\ud800", " "),
        ("é\u2028", " "),
        ("r" * 2000, " "),
        ("user", "\n:\n"),
        ("user", "\t"),
    ],
)
def test_a_fault_has_its_line_however_the_document_is_written(name: str, between: str) -> None:
    colon = between if ":" in between else f":{between}"
    told = faults_of(f'{{"app"{colon}{{\n"{name}"{colon}[\n5]}}}}'.encode())

    assert all(one.startswith("line ") for one in told)
