"""Settings as tests load them: where they must fail, and as a local run has them."""

from pathlib import Path

import pytest

from chatproxy import settings
from chatproxy.errors import SettingsError
from chatproxy.providers import SETTINGS
from chatproxy.settings import Settings


def problems_of(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        settings.load(SETTINGS, environ)

    return list(caught.value.problems)


def refusal_of(name: str, value: str, environ: dict[str, str]) -> str:
    """What is said of the one bad value, behind the name of its setting."""
    (problem,) = problems_of(**(environ | {name: value}))
    named = f"{name}: is not "
    assert problem.startswith(named)
    return problem.removeprefix(named)


def local_run(provider: str, folder: Path, **environ: str) -> Settings:
    """A local run of one provider on which nothing is set but where the database is."""
    ours = {"PROVIDERS": provider, "DATABASE_URL": f"sqlite:///{folder}/d.db"}
    return settings.load(SETTINGS, ours | environ)
