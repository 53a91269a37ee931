"""What makes the document costs nothing before somebody wants to see it."""

import subprocess
import sys

from tests.everything import environ_before
from tests.sidecar import ROOT, bare_environ

LOADED = """
import sys
from chatproxy.app import create_app

create_app()
print([name for name in sys.modules if name.startswith(("apispec", "chatproxy.openapi"))
       or name.endswith(("endpoints.operations", "endpoints.answers"))])
"""


def test_the_application_loads_nothing_of_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED],
        cwd=ROOT,
        env=bare_environ() | environ_before("http://127.0.0.1:1"),
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "[]"
