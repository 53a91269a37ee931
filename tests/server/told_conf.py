"""The shipped settings of gunicorn; each process writes what it has loaded when it ends."""

import json
import os
import sys
from pathlib import Path
from typing import Any

from chatproxy import gunicorn_conf
from chatproxy.gunicorn_conf import *  # noqa: F403 - gunicorn reads names of a module


def worker_exit(server: Any, worker: Any) -> None:
    _tell("worker")
    gunicorn_conf.worker_exit(server, worker)


def on_exit(server: Any) -> None:  # noqa: ARG001
    _tell("master")


def _tell(process: str) -> None:
    Path(os.environ["TOLD_IN"], f"{process}.json").write_text(json.dumps(list(sys.modules)))
