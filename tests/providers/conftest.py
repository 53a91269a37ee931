"""What the tests of every provider share."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.databases import new_directory
from tests.sidecar import Sidecar


@pytest.fixture(scope="session")
def sidecar_of(output_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Start a sidecar with one provider on, before a directory with the newest schema."""
    made = iter(range(10_000))

    @contextmanager
    def before(provider: str, kind: str, environ: dict[str, str]) -> Iterator[Sidecar]:
        with new_directory(kind, tmp_path_factory.mktemp("directory")) as url:
            ours = {"PROVIDERS": provider, "LOG_LEVEL": "trace", "DATABASE_URL": url}
            output = output_folder / f"{provider}-{next(made)}.log"

            with Sidecar(output, ours | environ) as running:
                yield running

    return before


@pytest.fixture(autouse=True)
def _forget_calls(request: pytest.FixtureRequest) -> None:
    """Each test sees only the calls that it caused at its provider's server."""
    if "server" in request.fixturenames:
        request.getfixturevalue("server").journal.clear()
