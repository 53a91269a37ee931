"""The document says what there is, and is valid."""

import importlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from chatproxy import __version__, settings
from chatproxy.openapi.document import written
from chatproxy.providers import SETTINGS
from chatproxy.providers.registry import make_providers
from chatproxy.routes import routes, written_document
from chatproxy.services import open_services
from chatproxy.settings.documented import load_for_document
from chatproxy.web import operations as own
from chatproxy.web.served import served
from tests.access.samples import caller, write
from tests.everything import environ_before, rules_of
from tests.openapi.reading import closed, operations, resolved

COMMITTED = Path(__file__).parents[2] / "docs" / "openapi.json"
SAMPLE = COMMITTED.parents[1] / "configmap" / "access.yaml"
BASE = environ_before("http://127.0.0.1:1")


def document_of(environ: dict[str, str], *, every: bool = False) -> dict[str, Any]:
    found = load_for_document(SETTINGS, environ, every=every)
    document: dict[str, Any] = json.loads(
        written_document(open_services(found, make_providers(found)))
    )
    return document


EVERYTHING = document_of({}, every=True)
EACH = list(operations(EVERYTHING))


def served_by(environ: dict[str, str]) -> dict[str, Any]:
    """The document of a sidecar with these settings."""
    found = settings.load(SETTINGS, environ)
    document: dict[str, Any] = json.loads(
        written_document(open_services(found, make_providers(found)))
    )
    return document


def id_of(one: Any) -> str:
    return str(one[2]["operationId"])


def test_it_is_valid() -> None:
    assert list(OpenAPIV31SpecValidator(EVERYTHING).iter_errors()) == []


def test_it_begins_as_the_reference_service_s() -> None:
    assert EVERYTHING["openapi"].startswith("3.1.")
    assert EVERYTHING["info"]["title"] == "chatproxy"
    assert EVERYTHING["info"]["version"] == __version__


def test_with_an_access_document_what_services_call_takes_a_key(tmp_path: Path) -> None:
    path = write(tmp_path / "access.json", a=caller())
    document = served_by(BASE | {"ACCESS_CONFIG": path, "STATUS_PORT": "3004"})
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []
    assert document["components"]["securitySchemes"]["chatproxyKey"]["name"] == "X-Chatproxy-Key"
    found = {(one[0], one[1]): one[2] for one in operations(document)}
    asked = {
        ("/token/{userId}", "get"): "always",
        ("/proxy/{path}", "post"): "always",
        ("/tokens", "post"): "always",
        ("/documentation/json", "get"): "always",
        ("/imkit/{path}", "get"): "services",
        ("/tokens/refresh", "post"): "never",
        ("/api/{path}", "get"): "never",
        ("/-/ready", "get"): "never",
        ("/-/check-up", "get"): "never",  # it has a door of its own
    }

    for place, when in asked.items():
        security = [set(one) for one in found[place]["security"]]
        with_key = [bool(one & {"chatproxyKey", "chatproxyBearer"}) for one in security]
        assert (bool(security) and all(with_key)) is (when == "always"), place
        assert any(with_key) is (when != "never"), place

        if when != "never":
            assert {"400", "401", "403", "429"} <= set(found[place]["responses"]), place

    (shared,) = [
        one[2]
        for one in operations(served_by(BASE | {"ACCESS_CONFIG": path}))
        if one[0] == "/-/check-up"
    ]
    assert shared["security"] == [{"chatproxyKey": []}, {"chatproxyBearer": []}]


def test_it_lists_what_is_reachable() -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", "{}", rule.rule).rstrip("/"), method.lower())
        for rule in rules_of(BASE)
        for method in (rule.methods or set()) - {"HEAD"}
        if not rule.endpoint.endswith(".refuse")
    }
    listed = {(re.sub(r"\{\w+\}", "{}", path), method) for path, method, _ in EACH}

    assert listed == served


def test_nothing_is_declared_that_is_not_served() -> None:
    found = load_for_document(SETTINGS, {}, every=True)
    services = open_services(found, make_providers(found))
    endpoints = {one.endpoint for one in served(routes(services), found.listeners())}
    modules = [f"chatproxy.providers.{name}.endpoints.operations" for name in SETTINGS]
    surfaces = [own.SURFACE, *(importlib.import_module(name).SURFACE for name in modules)]

    assert [name for one in surfaces for name in one.operations if name not in endpoints] == []


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [one["operationId"] for _, _, one in EACH]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("one", EACH, ids=id_of)
def test_an_operation_is_described(one: tuple[str, str, dict[str, Any]]) -> None:
    _, _, operation = one

    assert operation["summary"]
    assert operation["tags"]
    assert operation["x-doors"]
    assert {"400", "414", "431", "500"} <= operation["responses"].keys()
    assert operation["responses"].keys() & {"200", "201", "204", "101", "501", "default"}


@pytest.mark.parametrize("one", EACH, ids=id_of)
def test_examples_fit_their_schemas(one: tuple[str, str, dict[str, Any]]) -> None:
    for place, schema, example in examples_of(one[2]):
        errors = list(Draft202012Validator(closed(EVERYTHING, schema)).iter_errors(example))

        assert errors == [], place


def examples_of(operation: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for parameter in operation.get("parameters", ()):
        if "example" in parameter:
            yield parameter["name"], parameter["schema"], parameter["example"]

    whole = {"body": operation.get("requestBody", {}), **operation["responses"]}

    for name, part in whole.items():
        for media in resolved(EVERYTHING, part).get("content", {}).values():
            for given in [media] if "example" in media else []:
                yield name, media["schema"], given["example"]

            for title, given in media.get("examples", {}).items():
                yield f"{name} {title}", media["schema"], given["value"]


@pytest.mark.parametrize("prefix", ["", "/chat"])
def test_what_is_on_decides_what_is_in_it(prefix: str) -> None:
    found = document_of({"SERVICE_PREFIX": prefix, "PROVIDERS": "stream"})

    assert set(found["paths"]) == {
        "/-/check-up",
        "/-/healthz",
        "/-/metrics",
        "/-/ready",
        *(
            f"{prefix}{path}"
            for path in (
                "/api-key",
                "/config",
                "/documentation",
                "/documentation/json",
                "/documentation/{name}",
                "/guest",
                "/proxy/{path}",
                "/stream/proxy/{path}",
                "/token/{userId}",
                "/users/{userId}/revoke-tokens",
                "/v1/tokens",
                "/v1/users/{userId}",
                "/v1/users/{userId}/tokens",
                "/webhook/stream",
                "/webhook/verify",
            )
        ),
    }
    assert [tag["name"] for tag in found["tags"]] == ["sidecar", "Stream"]


def test_a_provider_with_a_setting_of_its_own_is_in_it() -> None:
    found = document_of({"IMBACHAT_DEV_ID": "7"})

    assert [tag["name"] for tag in found["tags"]] == ["sidecar", "Stream", "ImbaChat"]


def test_the_doors_are_named() -> None:
    together = EVERYTHING["paths"]["/imkit/me"]["get"]["x-doors"]
    found = document_of({"CLIENT_PORT": "3001", "STATUS_PORT": "3002"}, every=True)

    assert together == ["service"]
    assert found["paths"]["/imkit/me"]["get"]["x-doors"] == ["client", "service"]
    assert found["paths"]["/tokens"]["post"]["x-doors"] == ["service"]
    assert found["paths"]["/tokens/refresh"]["post"]["x-doors"] == ["client"]
    assert found["paths"]["/-/healthz"]["get"]["x-doors"] == ["status"]


def test_a_running_sidecar_says_the_same() -> None:
    found = settings.load(SETTINGS, BASE)

    assert json.loads(written_document(open_services(found, make_providers(found)))) == EVERYTHING


def test_the_committed_copy_is_current() -> None:
    """Made by `chatproxy openapi --all-providers > docs/openapi.json`."""
    assert COMMITTED.read_text() == written(EVERYTHING)


def test_each_status_has_the_body_of_its_surface() -> None:
    """The errors' own bodies are the examples, so only the shapes can be wrong here."""
    shapes = {
        path: EVERYTHING["paths"][path][method]["responses"]["400"]["$ref"].rpartition("/")[2]
        for path, method in [
            ("/webhook/verify", "post"),
            ("/proxy/{path}", "get"),
            ("/tokens", "post"),
            ("/tokens/validate", "get"),
            ("/api/users/ensure", "post"),
            ("/rest/v1/auth/token", "post"),
            ("/imkit/verify", "post"),
            ("/imbachat/users", "get"),
        ]
    }

    assert list(shapes.values()) == [
        "Error.400",
        "StreamError.forwarded.400",
        "ChatsdkTokenError.400",
        "ChatsdkValidationError.400",
        "ChatsdkApiError.400",
        "PerformchatError.400",
        "ImkitError.400",
        "ImbachatError.400",
    ]


def test_with_an_access_document_services_need_a_key() -> None:
    found = document_of({"ACCESS_CONFIG": str(SAMPLE)}, every=True)
    needed, keyless = [{"chatproxyKey": []}, {"chatproxyBearer": []}], ["/-/healthz", "/-/ready"]
    paths = found["paths"]

    assert paths["/token/{userId}"]["get"]["security"] == needed
    assert paths["/tokens"]["post"]["security"] == [{"chatsdkKey": [], "chatproxyKey": []}]
    assert [paths[path]["get"]["security"] for path in keyless] == [[], []]
    assert {"401", "403", "429", "503"} <= paths["/token/{userId}"]["get"]["responses"].keys()
    assert "chatproxyKey" in found["components"]["securitySchemes"]
    assert "chatproxyKey" not in EVERYTHING["components"]["securitySchemes"]
    assert list(OpenAPIV31SpecValidator(found).iter_errors()) == []
