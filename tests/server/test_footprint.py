"""What a start loads: nothing that its settings do not need.

Each of these takes megabytes in every pod: `docs/performance.md` has a table.
"""

import json
import os
from pathlib import Path

import pytest

from tests.canaries import API_KEY, API_SECRET
from tests.databases import KINDS, new_directory
from tests.sidecar import Sidecar
from tests.upstream import StreamUpstream
from tests.wire import ask, get

STREAM = {"STREAM_API_KEY": API_KEY, "STREAM_API_SECRET": API_SECRET}
SECRETS = (
    "KEY_SIGNING_SECRET",
    "CHATSDK_JWT_SECRET",
    "CENTRIFUGO_TOKEN_SECRET",
    "PERFORMCHAT_JWT_SECRET",
    "IMBACHAT_API_PASSWORD",
    "IMBACHAT_SECRET_KEY",
)
FIVE = STREAM | {name: name.lower() * 2 for name in SECRETS}
FIVE["PROVIDERS"] = "stream,chatsdk,performchat,imkit,imbachat"

#: In no process: they upgrade a database, write a document, read one, guess at a body, or write
#: metrics that nobody has asked for.
NOWHERE = {
    "alembic",
    "apispec",
    "yaml",
    "chardet",
    "charset_normalizer",
    "cryptography",
    "prometheus_client",
    "opentelemetry",
    "sqlalchemy.orm",
}
#: Also not in the first process, which reads settings and starts workers.
NOT_IN_MASTER = NOWHERE | {
    "click", "flask", "h11", "jinja2", "jwt", "psycopg", "redis", "requests", "sqlalchemy",
    "urllib3", "werkzeug", "wsproto",
}  # fmt: skip
#: Also not in a worker that keeps nothing.
WITHOUT_DIRECTORY = NOWHERE | {"psycopg", "redis", "sqlalchemy", "sqlite3", "wsproto"}

OF_THE_OTHER = {
    "sqlite": {"psycopg", "redis", "sqlalchemy.dialects.postgresql"},
    "postgresql": {"redis", "sqlalchemy.dialects.sqlite"},
}


class Told(Sidecar):
    command = ("-m", "gunicorn", "-c", "python:tests.server.told_conf", "chatproxy.wsgi:app")


def loaded(folder: Path, upstream: StreamUpstream, **environ: str) -> dict[str, set[str]]:
    """What each process had loaded when it ended, after it had served."""
    told = {"TOLD_IN": str(folder), "STREAM_BASE_URL": upstream.url}

    with Told(folder / "log", told | environ) as sidecar:
        assert ask(sidecar.port, get("/-/ready")).status == 200
        assert ask(sidecar.port, get("/token/alice")).status == 201
        assert ask(sidecar.port, get("/proxy/app")).status == 200

    return {
        name: set(json.loads((folder / f"{name}.json").read_text()))
        for name in ("master", "worker")
    }


def test_stream_alone_loads_no_database_and_no_other_provider(
    tmp_path: Path, upstream: StreamUpstream
) -> None:
    found = loaded(tmp_path, upstream, **STREAM)
    others = [f"chatproxy.providers.{name}.provider" for name in FIVE["PROVIDERS"].split(",")[1:]]

    assert found["worker"] & (WITHOUT_DIRECTORY | set(others)) == set()
    assert found["master"] & (NOT_IN_MASTER | {"sqlite3"}) == set()


@pytest.mark.parametrize("kind", KINDS)
def test_five_providers_load_the_library_of_their_database_alone(
    tmp_path: Path, upstream: StreamUpstream, kind: str
) -> None:
    with new_directory(kind, tmp_path) as url:
        found = loaded(tmp_path, upstream, **FIVE, DATABASE_URL=url)

    assert found["worker"] & (NOWHERE | OF_THE_OTHER[kind]) == set()
    assert found["master"] & NOT_IN_MASTER == set()


def test_a_limit_that_workers_share_loads_its_library(
    tmp_path: Path, upstream: StreamUpstream
) -> None:
    """Else the tables above would hold whatever is loaded."""
    url = os.environ.get("TEST_REDIS_URL") or pytest.skip("TEST_REDIS_URL names no Redis server")

    with new_directory("sqlite", tmp_path) as database:
        found = loaded(tmp_path, upstream, **FIVE, DATABASE_URL=database, REDIS_URL=url)

    assert {"redis", "sqlalchemy", "sqlite3", "wsproto"} < found["worker"]
    assert found["worker"] & NOWHERE == set()
    assert found["master"] & NOT_IN_MASTER == set()
