"""Access documents as tests write them, and the keys of their callers."""

import hashlib
import json
from pathlib import Path
from typing import Any

BACKEND, OTHER, NOBODY = (
    "cpk_key-of-the-backend-in-tests-0123456789",
    "cpk_key-of-the-other-in-tests-0123456789",
    "cpk_key-of-nobody-in-tests-0123456789abc",
)


def digest(key: str) -> str:
    return f"sha256:{hashlib.sha256(key.encode()).hexdigest()}"


def caller(key: str = BACKEND, **fields: Any) -> dict[str, Any]:
    return {"keys": [digest(key)]} | fields


def document(**callers: dict[str, Any]) -> str:
    """A document in JSON, which is YAML as well."""
    return json.dumps({"callers": callers})


def write(path: Path, **callers: dict[str, Any]) -> str:
    """Write a document; return where it is."""
    path.write_text(document(**callers))
    return str(path)


#: Everything at one provider.
EVERY_CALL = [{"methods": ["*"], "paths": ["/**"]}]
