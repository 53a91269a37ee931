"""The access document: every fault is told, with its place; none passes for a rule."""

import json

import pytest

from chatproxy.access import document
from chatproxy.access.document import Read, read
from chatproxy.access.keys import PREFIX, digest_of, new_key
from chatproxy.providers import SETTINGS
from chatproxy.settings import OWN_ENDPOINTS
from tests.access import samples
from tests.access.samples import BACKEND, EVERY_CALL, OTHER, caller, digest

ENDPOINTS = {name: one.endpoints for name, one in SETTINGS.items()} | {"": OWN_ENDPOINTS}
KEY = digest(BACKEND)


def faults_of(text: str) -> list[str]:
    return list(read(text.encode()).faults)


def of_caller(**fields: object) -> Read:
    return read(samples.document(a=caller(**fields)).encode())


def fault_of(**fields: object) -> str:
    (fault,) = of_caller(**fields).faults
    return fault.removeprefix("line 1: callers.a.")


@pytest.mark.parametrize(
    "text",
    [
        f"callers: {{a: {{keys: [{BACKEND}]}}}}",
        f"callers: {{a: {{keys: [{KEY}], providers: [{BACKEND}]}}}}",
        f"callers: {{a: {{keys: [{KEY}], endpoints: [/{BACKEND}]}}}}",
        f"callers: {{a: {{keys: [{KEY}], {BACKEND}: x}}}}",
        f"callers: {{a: {{keys: [*{BACKEND}]}}}}",
        f"callers: {{a: {{keys: [!{BACKEND} x]}}}}",
        f"callers: {{{BACKEND}: {{keys: [{KEY}]}}}}",
    ],
)
def test_no_fault_shows_a_key(text: str) -> None:
    found = read(text.encode())
    faults = [*found.faults, *found.mismatches(list(SETTINGS), list(SETTINGS), ENDPOINTS)]

    assert BACKEND[4:] not in str(faults)


def test_the_same_in_yaml_and_in_json() -> None:
    yaml = f"""
    callers:
      billing:
        keys: [{KEY}]
        providers: [stream]
        calls:
          - methods: [GET, POST]
            paths: [/users, /channels/**]
        endpoints: [/token]
        users: [no, 7, 2024-01-01]
        limit: 300 per minute
    """
    fields = {
        "keys": [KEY],
        "providers": ["stream"],
        "calls": [{"methods": ["GET", "POST"], "paths": ["/users", "/channels/**"]}],
        "endpoints": ["/token"],
        "users": ["no", "7", "2024-01-01"],
        "limit": "300 per minute",
    }
    found = read(yaml.encode())

    assert found.faults == ()
    assert found.access == read(json.dumps({"callers": {"billing": fields}}).encode()).access
    assert found.access.callers["billing"].users.have("no")


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("", ["it is empty: name the callers below `callers`"]),
        ("# nothing\n", ["it is empty: name the callers below `callers`"]),
        ("text", ["line 1: must be an object"]),
        ("- callers", ["line 1: must be an object"]),
        ("{}", ["line 1: callers: is missing"]),
        ("callers:", ["line 1: callers: is empty"]),
        ("callers: {}", ["line 1: callers: is empty: name at least one"]),
        ("callers: [a]", ["line 1: callers: must be an object: callers by name"]),
        ("callers: {a: }", ["line 1: callers.a: must be an object"]),
        ("callers: {a: {}}", ["line 1: callers.a.keys: is missing"]),
        (
            "callers: {a: {keys: []}}",
            ["line 1: callers.a.keys: is empty: nobody could be this caller"],
        ),
        ("callers: {a: {keys: x}}", ["line 1: callers.a.keys: must be a list"]),
        (
            f"callers:\n  a:\n    keys: [{KEY}]\n  a:\n    keys: [{KEY}]\n",
            ["line 4: callers.a: is there twice, first in line 2"],
        ),
        (
            f"callers:\n  a: {{keys: [{KEY}]}}\n  b: {{keys: ['{digest(OTHER)}', {KEY}]}}\n",
            ["line 3: callers.b.keys.1: is the same as callers.a.keys.0"],
        ),
        (
            f"callers:\n  a:\n    keys:\n     - {KEY}\n     - sha256:{KEY[7:].upper()}\n",
            ["line 5: callers.a.keys.1: is the same as callers.a.keys.0"],
        ),
        (
            f"users: {{}}\ncallers:\n  a b:\n    keys: [{KEY}]\n",
            [
                "line 1: users: is not known. Known are callers",
                "line 3: callers.a b: must be a name of 1 to 64 letters, digits and . _ -, which "
                "begins with a letter or digit",
            ],
        ),
    ],
    ids=range(16),
)
def test_a_document_of_another_form_is_told_where_it_differs(text: str, faults: list[str]) -> None:
    assert faults_of(text) == faults


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"kees": []}, "kees: is not known. Known are keys, providers, calls"),
        ({"calls": [{"method": ["GET"]}]}, None),
        ({"keys": ["sha256:00"]}, "keys.0: is no digest"),
        ({"keys": ["md5:" + "0" * 64]}, "keys.0: is no digest"),
        ({"keys": [KEY + "0"]}, "keys.0: is no digest"),
        ({"keys": [None]}, "keys.0: is empty"),
        ({"keys": [[KEY]]}, "keys.0: must be text"),
        ({"keys": [BACKEND]}, "keys.0: is a key, and stands in a file now"),
        ({"keys": [digest("")]}, "keys.0: is the digest of an empty text"),
        ({"keys": [digest(str(n)) for n in range(11)]}, "keys: has more than 10 items"),
        ({"providers": "stream"}, "providers: must be a list"),
        ({"providers": {"stream": ""}}, "providers: must be a list"),
        ({"calls": {}}, "calls: must be a list"),
        ({"calls": ["GET /x"]}, "calls.0: must be an object"),
        ({"calls": EVERY_CALL}, "calls: is for no provider"),
        ({"limit": "300"}, "limit: is no rate"),
        ({"limit": "0 per minute"}, "limit: is no rate"),
        ({"limit": "300 per fortnight"}, "limit: is no rate"),
        ({"limit": 300}, "limit: is no rate"),
        ({"limit": {}}, "limit: must be text"),
        ({"users": ["a*b*"]}, "users.0: is a user's id"),
        ({"users": [""]}, "users.0: is a user's id"),
        ({"users": "ann"}, "users: must be a list"),
        ({"endpoints": ["token"]}, "endpoints.0: must be a path"),
        ({"endpoints": ["get /token"]}, "endpoints.0: must begin with a path, or one of GET"),
        ({"endpoints": ["/" + "x" * 2000]}, "endpoints.0: is longer than 1024"),
    ],
    ids=range(26),
)
def test_a_field_that_is_no_such_is_told(fields: dict[str, object], told: str | None) -> None:
    if told is None:
        faults = of_caller(**fields).faults
        assert len(faults) == 3, faults
        assert "method: is not known. Known are providers, methods, paths" in "".join(faults)
        return

    fault = fault_of(**fields)

    assert fault.startswith(told)
    assert BACKEND not in fault
    assert KEY not in fault


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ({"methods": ["get"], "paths": ["/x"]}, "methods.0: is no method"),
        ({"methods": ["OPTIONS"], "paths": ["/x"]}, "methods.0: is no method"),
        ({"methods": "GET", "paths": ["/x"]}, "methods: must be a list"),
        ({"methods": [], "paths": ["/x"]}, "methods: is empty: the rule allows nothing"),
        ({"methods": ["GET"], "paths": []}, "paths: is empty: the rule allows nothing"),
        ({"methods": ["GET"], "paths": ["x"]}, "paths.0: must begin with a slash"),
        ({"methods": ["GET"], "paths": ["/**/x"]}, "paths.0: `**` stands at the end only"),
        (
            {"methods": ["GET"], "paths": ["/x"], "providers": ["imkit"]},
            "providers: imkit is not among the caller's providers",
        ),
    ],
    ids=range(8),
)
def test_a_rule_that_is_no_such_is_told(rule: dict[str, object], told: str) -> None:
    fault = fault_of(providers=["stream"], calls=[rule])

    assert fault.startswith(f"calls.0.{told}")


def test_all_faults_are_told_at_once_up_to_a_number() -> None:
    text = samples.document(**{f"c{n}": {"keys": ["x"], "more": ""} for n in range(40)})
    faults = faults_of(text)

    assert len(faults) == document.MOST_FAULTS + 1
    assert faults[-1] == "and 30 more"


def test_too_many_callers_and_too_many_keys_are_refused() -> None:
    many = {f"c{n}": caller(f"cpk_{n}") for n in range(1001)}
    assert faults_of(samples.document(**many)) == ["line 1: callers: has more than 1000 callers"]

    keys = {f"c{n}": {"keys": [digest(f"{n} {m}") for m in range(10)]} for n in range(201)}
    assert faults_of(samples.document(**keys)) == [
        "line 1: callers: have more than 2000 keys together"
    ]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"providers": ["streem"]}, "providers: streem is not known. The providers are stream, "),
        ({"providers": ["imkit"]}, "providers: imkit is off"),
        ({"providers": ["stream"], "endpoints": ["/tokenz"]}, "endpoints.0: /tokenz is none of"),
        ({"providers": ["stream"], "endpoints": ["/proxy"]}, "endpoints.0: /proxy is none of"),
        ({"providers": ["stream"], "endpoints": ["POST /token"]}, "endpoints.0: POST /token is no"),
        ({"endpoints": ["/token"]}, "endpoints.0: /token belongs to stream, which is not among"),
        (
            {"providers": ["stream"], "endpoints": ["/imkit/me"]},
            "endpoints.0: /imkit/me belongs to imkit, which is off",
        ),
        ({"endpoints": ["/-/healthz"]}, "endpoints.0: /-/healthz is none of the endpoints"),
    ],
    ids=range(8),
)
def test_what_the_sidecar_does_not_have_is_told(fields: dict[str, object], told: str) -> None:
    found = of_caller(**fields)
    (fault,) = found.mismatches(list(SETTINGS), ["stream", "chatsdk"], ENDPOINTS)

    assert fault.startswith(f"line 1: callers.a.{told}")


def test_what_may_not_be_meant_is_a_warning() -> None:
    rules = [*EVERY_CALL, {"methods": ["GET"], "paths": ["/**"]}]
    found = of_caller(providers=["stream"], calls=rules, endpoints=["/"])

    assert list(document.warnings(found.access)) == [
        "callers.a.calls.0 allows every call to stream: a is an administrator there",
        "callers.a.endpoints allows every endpoint of its providers",
    ]


def test_a_caller_is_found_by_any_of_its_keys_and_by_nothing_else() -> None:
    key, old = new_key(), new_key()
    access = read(
        samples.document(a={"keys": [digest(old), digest(key)]}, b=caller(OTHER)).encode()
    ).access

    for one, name in ((key, "a"), (old, "a"), (OTHER, "b")):
        found = access.caller_of(one)
        assert found is not None
        assert found.name == name

    for one in (
        "",
        PREFIX,
        key[:-1],
        key + "x",
        key.lower(),
        f" {key}",
        digest(key),
        "é",
        "\ud800",
    ):
        assert access.caller_of(one) is None


@pytest.mark.parametrize("key", ["password", "cpk_x", "cpk_pass word", "cpk_pass.word", "cpk_päss"])
def test_a_text_of_another_form_is_nobodys_key(key: str) -> None:
    """What no log would hide must not be used as one."""
    access = read(samples.document(a=caller(key)).encode()).access

    assert access.caller_of(key) is None


def test_keys_are_random_and_digests_are_in_no_repr() -> None:
    key = new_key()
    found = read(samples.document(a=caller(key)).encode())

    assert len({new_key() for _ in range(1000)}) == 1000
    assert len(key) == len(PREFIX) + 43
    assert digest_of(key).hex() not in repr(found)
    assert repr(digest_of(key)) not in repr(found)
