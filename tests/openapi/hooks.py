"""What schemathesis is told about credentials that OpenAPI has no scheme for: those in a body."""

import json
import os
from typing import Any

import schemathesis

#: What stands for a credential in an example, or for whatever text was made up: the real ones.
REAL: dict[str, str] = json.loads(os.environ.get("REAL_CREDENTIALS", "{}"))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:  # noqa: ARG001
    """Put real credentials where the body has texts under their names."""
    body = case.body

    if isinstance(body, dict) and all(isinstance(body.get(name), str) for name in REAL):
        case.body = body | REAL
