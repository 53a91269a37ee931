"""What schemathesis is told about credentials that OpenAPI has no scheme for: those in a body."""

import json
import os
from typing import Any

import schemathesis

#: The two halves of a key, for whatever texts were made up under their names.
HALVES: dict[str, str] = json.loads(os.environ.get("KEY_HALVES", "{}"))
#: What stands in an example, and the real thing.
REAL: dict[str, str] = json.loads(os.environ.get("REAL_CREDENTIALS", "{}"))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:  # noqa: ARG001
    """Put real credentials and ids into the body."""
    body = case.body

    if not isinstance(body, dict):
        return

    body = {
        name: REAL.get(value, value) if isinstance(value, str) else value
        for name, value in body.items()
    }

    if all(isinstance(body.get(name), str) for name in HALVES):
        body |= HALVES

    case.body = body
