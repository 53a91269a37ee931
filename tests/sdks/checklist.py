"""Keeps count for the Python scripts: what was called, what failed, one JSON line at the end."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

API_KEY = os.environ.get("CHAT_API_KEY", "dummy")
API_SECRET = os.environ.get("CHAT_API_SECRET", "dummy")

#: Headers that every call is to have: the key of a caller of the access document, if there is one.
HEADERS = (
    {"X-Chatproxy-Key": os.environ["CHAT_ACCESS_KEY"]} if "CHAT_ACCESS_KEY" in os.environ else {}
)


class Checklist:
    """The calls of one SDK; a failed one does not stop those after it."""

    def __init__(self, sdk: str, version: str) -> None:
        self.sdk = sdk
        self.version = version
        self.calls: list[str] = []
        self.failures: list[str] = []

    @contextmanager
    def call(self, name: str) -> Iterator[None]:
        """Count one call, or note why its result was not the wanted one."""
        try:
            yield
        except Exception as error:
            self.failures.append(f"{name}: {type(error).__name__}: {error}"[:2000])
        else:
            self.calls.append(name)

    def finish(self) -> NoReturn:
        """Print the result and exit, with 1 where anything failed."""
        print(json.dumps(vars(self)))
        sys.exit(1 if self.failures else 0)


async def got(answer: Any) -> Any:
    """Return the answer, waited for where the client is an asynchronous one."""
    return await answer if inspect.isawaitable(answer) else answer


def control(method: str, path: str, body: Any = None) -> Any:
    """Ask the stand-in itself, not through the sidecar."""
    url = f"{os.environ['SANDBOX_CONTROL_URL'].rstrip('/')}/_sandbox/control/{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def order_fault(fault: str, path: str) -> None:
    """Let the next request whose path fits fail in the given way."""
    control("POST", "faults", {"fault": fault, "path": path})


def last_target() -> str:
    """The request target that reached the stand-in last."""
    return str(control("GET", "journal")["entries"][-1]["target"])


def picture() -> tuple[str, str]:
    """The URL of a small picture that anybody may fetch, and the digest (hex) of its bytes."""
    url = f"{os.environ['SANDBOX_CONTROL_URL'].rstrip('/')}/_sandbox/control/picture"
    with urllib.request.urlopen(url, timeout=10) as answer:
        return url, hashlib.sha256(answer.read()).hexdigest()


def scratch(name: str, content: bytes) -> str:
    """A file in the scratch folder, as a path."""
    path = Path(os.environ["CHAT_FILE_DIR"]) / name
    path.write_bytes(content)
    return str(path)


# The vendor's scheme, worked out by hand once: HMAC-SHA256 over the raw body, hex, lower case.
WEBHOOK_SECRET = "secret-xyz"
WEBHOOK_BODY = '{"type": "message.new", "message": {"text": "é <b>&</b> \u2028"}}'.encode()
WEBHOOK_SIGNATURE = "f71714ef2b9d3b0c1bd8ffefe9c921a8c7790a78376dba3739957dd30aebd6b6"
