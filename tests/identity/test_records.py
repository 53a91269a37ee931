"""What may be imported without the database library."""

import subprocess
import sys

from tests.sidecar import ROOT, bare_environ

MODULES = ["records", "token_records", "key_format", "opaque_token_format", "timeouts"]

PROGRAM = """
import importlib, sys
for module in sys.argv[1:]:
    importlib.import_module(f"chatproxy.identity.{module}")
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_the_vocabulary_loads_no_database_library() -> None:
    asked = [sys.executable, "-c", PROGRAM, *MODULES]
    done = subprocess.run(
        asked, cwd=ROOT, env=bare_environ(), capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())

    assert "chatproxy" in loaded
    assert not loaded & {"sqlalchemy", "alembic", "psycopg", "flask"}
