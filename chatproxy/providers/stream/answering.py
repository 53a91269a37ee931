"""What Stream answers to calls of the sidecar's own.

Source: the vendor's error table, and `APIError` in its API specification.
"""

import json
from typing import Any

from chatproxy.errors import CallerError, NotFound, UpstreamBusy, UpstreamError

#: Stream's codes for a thing that does not exist, and for a call above a limit.
NO_SUCH_THING = 16
ABOVE_LIMIT = 9

#: Characters of a text of Stream's that are handed on.
LONGEST_TEXT = 300

UNKNOWN_USER = (
    "Stream has no user with this id. A token that was made for it and never used is not ended."
)
REFUSED = "Stream refuses the sidecar's own credential."
UNREADABLE = "Stream's answer could not be read."
BUSY = "Stream answers that there are too many calls. Ask again later."


class UnknownUser(NotFound):
    """Stream has nobody with this id."""


def read(status: int, content: bytes) -> dict[str, Any]:
    """Return the object that Stream answered.

    Raises `UnknownUser`, `CallerError` for what Stream takes for bad input, `UpstreamBusy`, and
    `UpstreamError` for all else: nothing then says that the call was done.
    """
    document = _object(content)

    if 200 <= status < 300:
        if document is None:
            raise UpstreamError(UNREADABLE, detail=f"stream: answered {status} and no JSON object")

        return document

    code, said = (document or {}).get("code"), str((document or {}).get("message"))
    detail = f"stream: answered {status}, code {code}"

    if status == 429 or code == ABOVE_LIMIT:
        raise UpstreamBusy(BUSY, detail=detail)

    if status == 401:
        raise UpstreamError(REFUSED, detail=detail)

    if status == 404 or code == NO_SUCH_THING:
        raise UnknownUser(UNKNOWN_USER, detail=detail)

    # The input is the caller's own, and only Stream knows what was wrong with it.
    if status in (400, 413) and document is not None:
        raise CallerError(f"Stream does not take this: {said[:LONGEST_TEXT]}", detail=detail)

    raise UpstreamError(f"Stream answered {status}.", detail=detail)


def _object(content: bytes) -> dict[str, Any] | None:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None

    return document if isinstance(document, dict) else None
