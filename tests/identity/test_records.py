"""What may be imported without the database library."""

import subprocess
import sys

import pytest

from tests.sidecar import ROOT, bare_environ

MODULES = ["records", "token_records", "key_format", "opaque_token_format", "timeouts"]

PROGRAM = """
import importlib, sys
importlib.import_module(sys.argv[1])
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize("module", MODULES)
def test_the_vocabulary_loads_no_database_library(module: str) -> None:
    asked = [sys.executable, "-c", PROGRAM, f"chatproxy.identity.{module}"]
    done = subprocess.run(
        asked, cwd=ROOT, env=bare_environ(), capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())

    assert "chatproxy" in loaded
    assert not loaded & {"sqlalchemy", "alembic", "psycopg", "flask"}
