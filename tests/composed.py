"""`docker-compose.yml` as Compose reads it, with the variables of an env file."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.sidecar import ROOT

VARIABLE = re.compile(r"\$\{(\w+):([-?])([^}]*)\}")


def composed(variables: Mapping[str, str] | None = None) -> Any:
    """Read the file, with the variables of `.env` if no others are given."""
    text = (ROOT / "docker-compose.yml").read_text()
    return _filled(yaml.safe_load(text), env_file() if variables is None else variables)


def env_file() -> dict[str, str]:
    """The variables that Compose takes where no other file is named."""
    text = (ROOT / ".env").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def _filled(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(one, variables) for name, one in value.items()}

    if isinstance(value, list):
        return [_filled(one, variables) for one in value]

    def text_of(found: re.Match[str]) -> str:
        name, kind, default = found.groups()
        assert variables.get(name) or kind == "-", f"{name} is needed"
        return variables.get(name) or str(default)

    return VARIABLE.sub(text_of, value) if isinstance(value, str) else value
